//! Ranges of output converters from data.
