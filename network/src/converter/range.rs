//! Ranges of converters, found from the values that they will meet.
