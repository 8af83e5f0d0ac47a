//! Laws as formulas: numbers that remember how they were computed.
//!
//! A law that is written for any [`Real`] leaves, evaluated with [`Expression`]s, its operations in a
//! [`Graph`]; equal operations are stored once, which is what lets a simulator compute them once.

use crate::real::Real;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What stands at a leaf of a formula.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// Voltage of the first node against the second, V.
    Voltage(&'static str, &'static str),
    /// A parameter of the device.
    Parameter(String),
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negative,
    Exp,
    Ln,
    Atanh,
    Sqrt,
    Abs,
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Max,
    Min,
}

/// What is known of a named number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sign {
    Any,
    Positive,
}

/// An operation on earlier ones, by their index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bits of a number.
    Constant(u64),
    Symbol(Symbol),
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    /// `[x, limit, then, otherwise]`.
    IfBelow([usize; 4]),
    /// The same number under a name.
    Kept(usize, Sign),
}

impl Node {
    /// The operations that this one takes.
    pub(super) fn operands(&self) -> Vec<usize> {
        match self {
            Self::Constant(_) | Self::Symbol(_) => Vec::new(),
            Self::Unary(_, x) | Self::Kept(x, _) => vec![*x],
            Self::Binary(_, x, y) => vec![*x, *y],
            Self::IfBelow(operands) => operands.to_vec(),
        }
    }
}

/// The operations of formulas, each once, operands before what uses them.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: RefCell<Vec<Node>>,
    known: RefCell<HashMap<Node, usize>>,
}

impl Graph {
    /// The voltage of a node against another.
    pub fn voltage(&self, node: &'static str, reference: &'static str) -> Expression<'_> {
        self.term(Node::Symbol(Symbol::Voltage(node, reference)))
    }

    /// A parameter of the device.
    pub fn parameter(&self, name: &str) -> Expression<'_> {
        self.term(Node::Symbol(Symbol::Parameter(name.into())))
    }

    /// Value of a formula when the leaves have the values that `symbol` gives.
    pub fn evaluate(&self, formula: Expression<'_>, symbol: impl Fn(&Symbol) -> f64) -> f64 {
        self.evaluate_at(self.index(formula), symbol)
    }

    /// [`Self::evaluate`] of the formula that ends with an operation of this index.
    pub(super) fn evaluate_at(&self, root: usize, symbol: impl Fn(&Symbol) -> f64) -> f64 {
        let mut values: Vec<f64> = Vec::with_capacity(root + 1);
        for node in &self.nodes.borrow()[..=root] {
            let value = match node {
                Node::Constant(bits) => f64::from_bits(*bits),
                Node::Symbol(leaf) => symbol(leaf),
                Node::Unary(function, x) => function.of(values[*x]),
                Node::Binary(function, x, y) => function.of(values[*x], values[*y]),
                Node::Kept(x, _) => values[*x],
                Node::IfBelow([x, limit, then, otherwise]) => {
                    if values[*x] < values[*limit] {
                        values[*then]
                    } else {
                        values[*otherwise]
                    }
                }
            };
            values.push(value);
        }
        values[root]
    }

    /// All operations so far.
    pub(super) fn nodes(&self) -> Vec<Node> {
        self.nodes.borrow().clone()
    }

    /// Index of a formula's last operation.
    pub(crate) fn index(&self, formula: Expression<'_>) -> usize {
        match formula {
            Expression::Constant(value) => self.insert(Node::Constant(value.to_bits())),
            Expression::Term(_, index) => index,
        }
    }

    fn insert(&self, node: Node) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        *self.known.borrow_mut().entry(node.clone()).or_insert_with(|| {
            nodes.push(node);
            nodes.len() - 1
        })
    }

    fn term(&self, node: Node) -> Expression<'_> {
        Expression::Term(self, self.insert(node))
    }
}

impl Unary {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Negative => -x,
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Atanh => x.atanh(),
            Self::Sqrt => x.sqrt(),
            Self::Abs => x.abs(),
        }
    }
}

impl Binary {
    fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Add => x + y,
            Self::Subtract => x - y,
            Self::Multiply => x * y,
            Self::Divide => x / y,
            Self::Power => x.powf(y),
            Self::Max => x.max(y),
            Self::Min => x.min(y),
        }
    }
}

/// A number or the result of an operation in a [`Graph`]. Formulas of different graphs must not meet.
#[derive(Debug, Clone, Copy)]
pub enum Expression<'g> {
    /// A number.
    Constant(f64),
    /// An operation, by its index.
    Term(&'g Graph, usize),
}

impl Expression<'_> {
    fn unary(self, function: Unary) -> Self {
        match self {
            Self::Constant(x) => Self::Constant(function.of(x)),
            Self::Term(graph, x) => graph.term(Node::Unary(function, x)),
        }
    }

    fn named(self, sign: Sign) -> Self {
        match self {
            Self::Constant(_) => self,
            Self::Term(graph, x) => graph.term(Node::Kept(x, sign)),
        }
    }

    fn binary(self, function: Binary, other: Self) -> Self {
        let graph = match (self, other) {
            (Self::Constant(x), Self::Constant(y)) => return Self::Constant(function.of(x, y)),
            (Self::Term(graph, _), _) | (_, Self::Term(graph, _)) => graph,
        };
        graph.term(Node::Binary(function, graph.index(self), graph.index(other)))
    }
}

impl From<f64> for Expression<'_> {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl Neg for Expression<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Negative)
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident, $function:ident;)*) => {$(
        impl $operator for Expression<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$function, other)
            }
        }
        impl $operator<f64> for Expression<'_> {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                self.binary(Binary::$function, Self::Constant(other))
            }
        }
    )*};
}

operators! {
    Add, add, Add;
    Sub, sub, Subtract;
    Mul, mul, Multiply;
    Div, div, Divide;
}

impl Real for Expression<'_> {
    fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }
    fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }
    /// Simulators lack it: ln(1 + x) = 2 artanh(x / (2 + x)) is exact for small x, where ln(1 + x) is not.
    fn ln_1p(self) -> Self {
        let exact = || (self / (self + 2.0)).unary(Unary::Atanh) * 2.0;
        self.if_below(1.0.into(), exact, || (self + 1.0).ln())
    }
    fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }
    fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }
    fn powf(self, power: Self) -> Self {
        match power {
            // Simulators differ in `pow` of numbers near 0; a root is a root.
            Self::Constant(0.5) => self.sqrt(),
            _ => self.binary(Binary::Power, power),
        }
    }
    fn max(self, other: Self) -> Self {
        self.binary(Binary::Max, other)
    }
    fn min(self, other: Self) -> Self {
        self.binary(Binary::Min, other)
    }
    fn if_below(self, limit: Self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        let graph = match (self, limit) {
            (Self::Constant(x), Self::Constant(y)) => return if x < y { then() } else { otherwise() },
            (Self::Term(graph, _), _) | (_, Self::Term(graph, _)) => graph,
        };
        let operands = [self, limit, then(), otherwise()].map(|formula| graph.index(formula));
        graph.term(Node::IfBelow(operands))
    }
    fn kept(self) -> Self {
        self.named(Sign::Any)
    }
    fn kept_positive(self) -> Self {
        self.named(Sign::Positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn every_operation<R: Real>(x: R, y: R) -> R {
        let sum = (x + y) * (x - 0.5) / (y * y + 1.0) - y * 2.0;
        let powers = x.abs().powf(R::from(0.5)) + (x.abs() + 0.1).powf(R::from(1.7)) + (x * x + y * y).sqrt();
        let curves = (-x.abs()).exp().ln_1p() + (x.abs() + 0.1).ln() + y.max(x).min(R::from(0.7));
        sum + powers + curves + x.if_below(y, || x * 3.0, || y.exp().ln_1p() / 2.0)
    }

    proptest! {
        #[test]
        fn formulas_have_the_values_of_the_numbers(x in -20.0f64..20.0, y in -20.0f64..20.0) {
            let graph = Graph::default();
            let formula = every_operation(graph.parameter("x"), graph.parameter("y"));
            let found = graph.evaluate(formula, |symbol| {
                if *symbol == Symbol::Parameter("x".into()) { x } else { y }
            });
            let expected = every_operation(x, y);
            // Powers and ln(1 + x) by other operations: a few roundings.
            prop_assert!((found - expected).abs() <= 1e-13 * (1.0 + x * x + y * y) + 1e-15 * y.exp(), "{found} for {expected}");
        }
    }

    #[test]
    fn equal_operations_are_stored_once() {
        let graph = Graph::default();
        let x = graph.parameter("x");
        let _ = (x + 1.0) * (graph.parameter("x") + 1.0);
        // x, 1, x + 1, the product.
        assert_eq!(graph.nodes().len(), 4);
    }

    #[test]
    fn small_logarithms_keep_their_digits() {
        let graph = Graph::default();
        let formula = graph.parameter("x").ln_1p();
        for x in [0.0, 1e-18, 1e-9, 0.5, 0.999, 1.0, 1e9] {
            let found = graph.evaluate(formula, |_| x);
            assert!((found - x.ln_1p()).abs() <= 4.0 * f64::EPSILON * x.ln_1p(), "{x}: {found}");
        }
    }
}
