//! A formula as statements in infix text: what SPICE and Verilog-A have in common.
//!
//! Operations that depend on parameters alone and operations that would be repeated become statements of
//! their own, in an order in which each is defined before it is used.

use super::expression::{Binary, Graph, Node, Sign, Symbol, Unary};

/// Operations of a formula above which it is computed once where several formulas use it. Below, repeating it
/// costs less than another unknown of the circuit.
const REPEATED_OPERATIONS: usize = 40;

/// How a language writes what a formula refers to.
pub(super) trait Dialect {
    /// A leaf.
    fn symbol(&self, symbol: &Symbol) -> String;
    /// The argument of a root or logarithm that is positive in every solution.
    fn positive(&self, argument: String, role: Role) -> String;
    /// What statement `number` stores of `text`, and how its result is written.
    fn temporary(&self, number: usize, role: Role, sign: Sign, text: String) -> Temporary;
}

/// An intermediate result.
pub(super) struct Temporary {
    /// What is stored.
    pub(super) stored: String,
    /// The result in terms of it.
    pub(super) value: String,
    /// The logarithm of the result, where it is what is stored.
    pub(super) logarithm: Option<String>,
}

/// What a statement depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Parameters alone.
    Fixed,
    /// Voltages.
    Varying,
}

/// One intermediate result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) number: usize,
    pub(super) role: Role,
    pub(super) text: String,
}

/// Statements and, in their terms, the formulas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listing {
    pub(super) statements: Vec<Statement>,
    pub(super) formulas: Vec<String>,
}

/// Text with the strength of its outermost operator.
#[derive(Clone)]
struct Piece {
    text: String,
    strength: u8,
    role: Role,
    operations: usize,
    logarithm: Option<String>,
}

const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const ATOM: u8 = 3;

/// Writes the formulas that end with these operations.
pub(super) fn listing(graph: &Graph, roots: &[usize], dialect: &impl Dialect) -> Listing {
    let nodes = graph.nodes();
    let mut uses = vec![0_usize; nodes.len()];
    for &root in roots {
        uses[root] += 1;
    }
    for (index, node) in nodes.iter().enumerate().rev() {
        if uses[index] > 0 {
            node.operands().into_iter().for_each(|operand| uses[operand] += 1);
        }
    }

    let mut pieces: Vec<Option<Piece>> = vec![None; nodes.len()];
    let mut statements: Vec<Statement> = Vec::new();
    let roles = roles(&nodes);
    for (index, node) in nodes.iter().enumerate() {
        if uses[index] == 0 {
            continue;
        }
        let mut piece = write(node, &pieces, dialect);
        let varying = piece.role == Role::Varying;
        let repeated = uses[index] > 1 && piece.operations > REPEATED_OPERATIONS;
        let sign = match node {
            Node::Kept(_, sign) => Some(*sign),
            // The largest formulas of parameters alone.
            _ if repeated
                || !varying && piece.operations > 0 && met_by_voltages(index, &nodes, &roles, &uses) =>
            {
                Some(Sign::Any)
            }
            _ => None,
        };
        if let Some(sign) = sign {
            let (number, role) = (statements.len() + 1, piece.role);
            let Temporary { stored, value, logarithm } = dialect.temporary(number, role, sign, piece.text);
            statements.push(Statement { number, role, text: stored });
            piece = Piece { text: value, strength: ATOM, role, operations: 0, logarithm };
        }
        pieces[index] = Some(piece);
    }
    let formulas = roots.iter().map(|&root| text_of(&pieces, root)).collect();
    Listing { statements, formulas }
}

/// Whether each operation depends on voltages.
fn roles(nodes: &[Node]) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let varying = matches!(node, Node::Symbol(Symbol::Voltage(..)))
            || node.operands().into_iter().any(|operand| roles[operand] == Role::Varying);
        roles.push(if varying { Role::Varying } else { Role::Fixed });
    }
    roles
}

/// Whether an operation that depends on voltages takes this one.
fn met_by_voltages(index: usize, nodes: &[Node], roles: &[Role], uses: &[usize]) -> bool {
    (index + 1..nodes.len())
        .any(|user| uses[user] > 0 && roles[user] == Role::Varying && nodes[user].operands().contains(&index))
}

fn text_of(pieces: &[Option<Piece>], index: usize) -> String {
    pieces[index].as_ref().map_or_else(String::new, |piece| piece.text.clone())
}

fn write(node: &Node, pieces: &[Option<Piece>], dialect: &impl Dialect) -> Piece {
    let operands = node.operands();
    let of = |index: usize| pieces[index].as_ref();
    let role = if operands.iter().filter_map(|&index| of(index)).any(|piece| piece.role == Role::Varying) {
        Role::Varying
    } else {
        Role::Fixed
    };
    let operations =
        1 + operands.iter().filter_map(|&index| of(index)).map(|piece| piece.operations).sum::<usize>();
    let plain = |index: usize| text_of(pieces, index);
    let at_least = |index: usize, strength: u8| match of(index) {
        Some(piece) if piece.strength < strength => format!("({})", piece.text),
        _ => plain(index),
    };
    let piece = |text: String, strength: u8| Piece { text, strength, role, operations, logarithm: None };
    match node {
        Node::Constant(bits) => Piece { operations: 0, ..piece(number(f64::from_bits(*bits)), ATOM) },
        Node::Symbol(symbol) => {
            let role = if matches!(symbol, Symbol::Voltage(..)) { Role::Varying } else { Role::Fixed };
            Piece { text: dialect.symbol(symbol), strength: ATOM, role, operations: 0, logarithm: None }
        }
        Node::Kept(x, _) => piece(plain(*x), ATOM),
        Node::Unary(Unary::Ln, x) if of(*x).is_some_and(|found| found.logarithm.is_some()) => {
            let logarithm = of(*x).and_then(|found| found.logarithm.clone());
            piece(logarithm.unwrap_or_default(), ATOM)
        }
        Node::Unary(Unary::Negative, x) => piece(format!("(-{})", at_least(*x, ATOM)), ATOM),
        Node::Unary(function, x) => {
            let name = match function {
                Unary::Negative => "-",
                Unary::Exp => "exp",
                Unary::Ln => "ln",
                Unary::Atanh => "atanh",
                Unary::Sqrt => "sqrt",
                Unary::Abs => "abs",
            };
            let argument = match function {
                Unary::Ln | Unary::Sqrt => dialect.positive(plain(*x), role),
                _ => plain(*x),
            };
            piece(format!("{name}({argument})"), ATOM)
        }
        Node::Binary(function, x, y) => match function {
            Binary::Add => piece(format!("{} + {}", at_least(*x, SUM), at_least(*y, SUM)), SUM),
            Binary::Subtract => piece(format!("{} - {}", at_least(*x, SUM), at_least(*y, PRODUCT)), SUM),
            Binary::Multiply => piece(format!("{} * {}", at_least(*x, PRODUCT), at_least(*y, ATOM)), PRODUCT),
            Binary::Divide => piece(format!("{} / {}", at_least(*x, PRODUCT), at_least(*y, ATOM)), PRODUCT),
            Binary::Power => piece(format!("pow({}, {})", plain(*x), plain(*y)), ATOM),
            Binary::Max => piece(format!("max({}, {})", plain(*x), plain(*y)), ATOM),
            Binary::Min => piece(format!("min({}, {})", plain(*x), plain(*y)), ATOM),
        },
        Node::IfBelow([x, limit, then, otherwise]) => piece(
            format!(
                "(({} < {}) ? ({}) : ({}))",
                at_least(*x, SUM),
                at_least(*limit, SUM),
                plain(*then),
                plain(*otherwise)
            ),
            ATOM,
        ),
    }
}

/// The shortest text that reads back as the same number; negative ones in brackets.
pub(super) fn number(value: f64) -> String {
    // With a point or an exponent: 1 / 2 of integers is 0 in Verilog-A.
    let text = format!("{:?}", value.abs());
    if value < 0.0 { format!("(-{text})") } else { text }
}

/// Breaks long text at spaces; every line after the first begins with `next`.
pub(super) fn wrapped(text: &str, next: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + word.len() > WIDTH {
            lines.push('\n');
            lines.push_str(next);
            width = next.len();
        } else if width > 0 {
            lines.push(' ');
        }
        lines.push_str(word);
        width += word.len() + 1;
    }
    lines
}
