//! Attributes of a node: read by name and type, none left unread.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::shape::{Mismatch, mismatch};
use super::proto::{self, Attribute, attribute_type};

/// Attributes of a node, and which have been read.
pub(crate) struct Attributes<'a> {
    all: &'a [Attribute],
    unread: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn of(node: &'a proto::Node) -> Self {
        let names = node.attribute.iter().map(|a| a.name.as_deref().unwrap_or_default());
        Self { all: &node.attribute, unread: RefCell::new(names.collect()) }
    }

    fn find(&self, name: &str) -> Option<&'a Attribute> {
        self.unread.borrow_mut().remove(name);
        self.all.iter().find(|a| a.name.as_deref() == Some(name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|a| a.name.as_deref() == Some(name))
    }

    pub(crate) fn integer(&self, name: &str, default: i64) -> Result<i64, Mismatch> {
        match self.find(name) {
            None => Ok(default),
            Some(Attribute { i: Some(i), .. }) => Ok(*i),
            // Writers that follow the third version of protocol buffers leave out what is zero.
            Some(Attribute { kind: Some(attribute_type::INT), .. }) => Ok(0),
            Some(_) => mismatch(format!("the attribute `{name}` of another type"), "an integer"),
        }
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> Result<f32, Mismatch> {
        match self.find(name) {
            None => Ok(default),
            Some(Attribute { f: Some(f), .. }) if !f.is_nan() => Ok(*f),
            Some(Attribute { f: None, kind: Some(attribute_type::FLOAT), .. }) => Ok(0.0),
            Some(_) => mismatch(format!("the attribute `{name}` of another type or no number"), "a number"),
        }
    }

    /// Text; empty when the attribute is absent.
    pub(crate) fn text(&self, name: &str) -> Result<String, Mismatch> {
        match self.find(name) {
            None => Ok(String::new()),
            Some(Attribute { s: Some(s), .. }) => Ok(String::from_utf8_lossy(s).into_owned()),
            Some(Attribute { kind: Some(attribute_type::STRING), .. }) => Ok(String::new()),
            Some(_) => mismatch(format!("the attribute `{name}` of another type"), "text"),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let strings = self.find(name).map_or(&[] as &[Vec<u8>], |a| &a.strings);
        strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect()
    }

    pub(crate) fn integers(&self, name: &str) -> Option<&'a [i64]> {
        self.find(name).map(|a| a.ints.as_slice())
    }

    pub(crate) fn floats(&self, name: &str) -> Option<&'a [f32]> {
        self.find(name).map(|a| a.floats.as_slice())
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&'a proto::Tensor> {
        self.find(name).and_then(|a| a.t.as_ref())
    }

    /// An attribute that changes nothing here.
    pub(crate) fn ignore(&self, name: &str) {
        self.find(name);
    }

    /// Lengths, one per axis; `default` for each when the attribute is absent.
    pub(crate) fn lengths(&self, name: &str, axes: usize, default: usize) -> Result<Vec<usize>, Mismatch> {
        let Some(values) = self.integers(name) else { return Ok(vec![default; axes]) };
        let lengths: Option<Vec<usize>> = values.iter().map(|v| usize::try_from(*v).ok()).collect();
        match lengths {
            Some(lengths) if lengths.len() == axes => Ok(lengths),
            _ => mismatch(format!("the attribute `{name}` {values:?}"), format!("{axes} numbers from 0 on")),
        }
    }

    /// An error if an attribute has not been read: it asks for something that is not supported.
    pub(crate) fn finish(&self) -> Result<(), Mismatch> {
        let names: BTreeSet<Option<&str>> = self.all.iter().map(|a| a.name.as_deref()).collect();
        if names.len() < self.all.len() {
            return mismatch("an attribute given twice", "each attribute once");
        }
        match self.unread.borrow().first() {
            None => Ok(()),
            Some(name) => mismatch(format!("the attribute `{name}`"), "only supported attributes"),
        }
    }
}
