//! Electrochemical, phase-change, magnetic and capacitor cells.
