//! Figures read off a sweep without a model: threshold at constant current, subthreshold swing.
