//! Resistive memories: filaments of vacancies and their heat.
