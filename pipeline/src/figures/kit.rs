//! Panels with axes and series, drawn as SVG the way journals take it: inward ticks on four sides, text
//! of 8 pt at final size, hollow markers for measurements, lines for models, no frame around the legend.
//!
//! plotters draws; axes are ours, because it has none that is broken at zero. Its backends take integer
//! pixels, so everything is drawn ten times larger and scaled by the view box.

use super::axis::{Axis, minus};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Write as _;

/// Canvas pixels per point.
const PX: f64 = 10.0;
/// Width of one column and of two (inches).
pub const ONE_COLUMN_IN: f64 = 3.5;
/// Width of two columns (inches).
pub const TWO_COLUMNS_IN: f64 = 7.16;
/// Sizes of text (pt).
const TEXT: f64 = 8.0;
const SMALL: f64 = 7.0;
const FONT: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// Colours that most people tell apart (Okabe and Ito, "Color Universal Design", 2008).
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
];

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// A line; the number chooses its dashes (0: solid).
    Line(usize),
    /// Hollow markers; the number chooses their shape. Error bars where there are bounds.
    Points(usize),
    /// Small dots, for many points.
    Dots,
    /// The area between the bounds.
    Band,
    /// Columns from zero, or from the bottom of a logarithmic axis, of the given width in x.
    Columns(f64),
    /// A horizontal bar from the lower to the upper bound (in x) with a mark at the value.
    Span,
}

/// Values to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Words in the legend; none: not in it.
    pub label: Option<String>,
    /// Number of the colour.
    pub colour: usize,
    /// How.
    pub mark: Mark,
    /// Positions.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Lower bounds, as many as values or none.
    pub lo: Vec<f64>,
    /// Upper bounds, as many as values or none.
    pub hi: Vec<f64>,
}

impl Series {
    /// A series without bounds.
    pub fn new(label: Option<&str>, colour: usize, mark: Mark, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { label: label.map(str::to_owned), colour, mark, x, y, lo: Vec::new(), hi: Vec::new() }
    }

    /// With bounds.
    #[must_use]
    pub fn between(mut self, lo: Vec<f64>, hi: Vec<f64>) -> Self {
        self.lo = lo;
        self.hi = hi;
        self
    }
}

/// A pair of axes with series.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Words above it.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn, in order.
    pub series: Vec<Series>,
}

/// Panels side by side in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Width (inches).
    pub width_in: f64,
    /// Height of a row (inches).
    pub row_in: f64,
    /// Panels in a row.
    pub columns: usize,
    /// Panels.
    pub panels: Vec<Panel>,
    /// What must be said in the picture (`synthetic data`).
    pub note: String,
}

/// A figure could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("could not draw: {0}")]
pub struct DrawError(String);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Figure {
    /// The SVG, with `record` as its metadata.
    ///
    /// # Errors
    /// When the drawing library refuses.
    pub fn svg(&self, record: &str) -> Result<String, DrawError> {
        let rows = self.panels.len().div_ceil(self.columns.max(1));
        let note = if self.note.is_empty() { 0.0 } else { 11.0 };
        let (width, height) = (self.width_in * 72.0, self.row_in * 72.0 * rows as f64 + note);
        let (w, h) = ((width * PX) as u32, (height * PX) as u32);
        let mut text = String::new();
        {
            let root = SVGBackend::with_string(&mut text, (w, h)).into_drawing_area();
            let fail = |error: DrawingAreaErrorKind<std::io::Error>| DrawError(error.to_string());
            root.fill(&WHITE).map_err(fail)?;
            let cell = (width / self.columns.max(1) as f64, self.row_in * 72.0);
            for (index, panel) in self.panels.iter().enumerate() {
                let (column, row) = (index % self.columns.max(1), index / self.columns.max(1));
                let frame = Frame {
                    left: column as f64 * cell.0 + panel.left_margin(),
                    right: (column + 1) as f64 * cell.0 - 9.0,
                    top: row as f64 * cell.1 + 15.0,
                    bottom: (row + 1) as f64 * cell.1 - 29.0,
                };
                let letter = (self.panels.len() > 1).then(|| char::from(b'a' + (index % 26) as u8));
                panel.draw(&root, &frame, letter).map_err(fail)?;
            }
            if !self.note.is_empty() {
                label(
                    &root,
                    &self.note,
                    (width - 4.0, height - 3.0),
                    SMALL,
                    (HPos::Right, VPos::Bottom),
                    &RGBColor(90, 90, 90),
                )
                .map_err(fail)?;
            }
            root.present().map_err(fail)?;
        }
        let old = format!("width=\"{w}\" height=\"{h}\"");
        let new = format!("width=\"{width:.1}pt\" height=\"{height:.1}pt\"");
        let mut text = subscripts(&text.replacen(&old, &new, 1));
        if let Some(end) = text.find('>') {
            let record = record.replace('&', "&amp;").replace('<', "&lt;");
            text.insert_str(end + 1, &format!("\n<metadata>{record}</metadata>"));
        }
        Ok(text)
    }

    /// What is drawn, as CSV: one row a point.
    pub fn csv(&self, comments: &[String]) -> String {
        let mut text = String::new();
        for comment in comments {
            let _ = writeln!(text, "# {comment}");
        }
        if !self.note.is_empty() {
            let _ = writeln!(text, "# {}", self.note);
        }
        let _ = writeln!(text, "panel,x_axis,y_axis,series,x,y,lo,hi");
        let number =
            |values: &[f64], i: usize| values.get(i).map_or(String::new(), |v| mho_data::table::number(*v));
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "'"));
        for panel in &self.panels {
            for series in &panel.series {
                for i in 0..series.x.len() {
                    let _ = writeln!(
                        text,
                        "{},{},{},{},{},{},{},{}",
                        quoted(&panel.title),
                        quoted(&panel.x.label),
                        quoted(&panel.y.label),
                        quoted(series.label.as_deref().unwrap_or_default()),
                        number(&series.x, i),
                        number(&series.y, i),
                        number(&series.lo, i),
                        number(&series.hi, i)
                    );
                }
            }
        }
        text
    }
}

/// `V_{G}` in the words of a picture as subscripts, which plotters does not have.
fn subscripts(svg: &str) -> String {
    let mut parts = svg.split("_{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((below, rest)) = part.split_once('}') else {
            text.push_str("_{");
            text.push_str(part);
            continue;
        };
        // What follows up to the end of the line goes back to the base line.
        let (same, others) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
        // A space at the start of a span would be lost.
        let space = if same.starts_with(' ') { " dx=\"0.28em\"" } else { "" };
        let _ = write!(
            text,
            "<tspan dy=\"0.28em\" font-size=\"86%\">{below}</tspan><tspan{space} dy=\"-0.21em\">{}</tspan>{others}",
            same.trim_start()
        );
    }
    text
}

/// Edges of a panel's box (pt).
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A point in pt to canvas pixels.
fn px((x, y): (f64, f64)) -> (i32, i32) {
    ((x * PX).round() as i32, (y * PX).round() as i32)
}

fn line(area: &Area<'_>, points: &[(f64, f64)], colour: RGBAColor, width: f64) -> Drawn {
    let style = ShapeStyle { color: colour, filled: false, stroke_width: (width * PX).round() as u32 };
    area.draw(&PathElement::new(points.iter().map(|p| px(*p)).collect::<Vec<_>>(), style))
}

fn label(
    area: &Area<'_>,
    text: &str,
    at: (f64, f64),
    size: f64,
    (h, v): (HPos, VPos),
    colour: &RGBColor,
) -> Drawn {
    let style = TextStyle::from((FONT, size * PX).into_font()).color(colour).pos(Pos::new(h, v));
    area.draw(&Text::new(text.to_owned(), px(at), style))
}

impl Panel {
    /// Room for the numbers and the label of the vertical axis (pt).
    fn left_margin(&self) -> f64 {
        let ticks = self.y.ticks(self.extents().1);
        let longest = ticks.iter().filter_map(|(_, text)| text.as_ref()).map(|t| t.chars().count()).max();
        let numbers = longest.unwrap_or(0) as f64;
        if self.y.words.is_empty() { 22.0 + 4.2 * numbers } else { 10.0 + 3.7 * numbers }
    }

    /// Ranges of positions on both axes.
    fn extents(&self) -> (Extent, Extent) {
        let bounds = |series: &'_ Series| series.lo.iter().chain(&series.hi).copied().collect::<Vec<f64>>();
        let of = |along_x: bool| {
            self.series.iter().flat_map(move |s| {
                let own = if along_x { &s.x } else { &s.y };
                let more = if (s.mark == Mark::Span) == along_x { bounds(s) } else { Vec::new() };
                own.iter().copied().chain(more)
            })
        };
        (self.x.extent(of(true)), self.y.extent(of(false)))
    }

    fn draw(&self, area: &Area<'_>, frame: &Frame, letter: Option<char>) -> Drawn {
        let (xs, ys, legend) = self.layout(frame);
        let at = |x: f64, y: f64| self.position(frame, xs, ys, x, y);
        for series in &self.series {
            series.draw(area, frame, &at)?;
        }
        // What ran over the edges is covered, and the box drawn over it.
        let white = ShapeStyle { color: WHITE.to_rgba(), filled: true, stroke_width: 0 };
        let (w, h) = ((frame.right - frame.left) * 0.03 + 3.0, (frame.bottom - frame.top) * 0.03 + 3.0);
        for (a, b) in [
            ((frame.left - w, frame.top - h), (frame.right + w, frame.top)),
            ((frame.left - w, frame.bottom), (frame.right + w, frame.bottom + h)),
            ((frame.left - w, frame.top - h), (frame.left, frame.bottom + h)),
            ((frame.right, frame.top - h), (frame.right + w, frame.bottom + h)),
        ] {
            area.draw(&Rectangle::new([px(a), px(b)], white))?;
        }
        self.axes(area, frame, xs, ys)?;
        if let Some(letter) = letter {
            label(
                area,
                &format!("({letter})"),
                (frame.left - self.left_margin() + 4.0, frame.top - 4.0),
                TEXT,
                (HPos::Left, VPos::Bottom),
                &BLACK,
            )?;
        }
        label(area, &self.title, (frame.left, frame.top - 4.0), TEXT, (HPos::Left, VPos::Bottom), &BLACK)?;
        legend.map_or(Ok(()), |legend| self.legend(area, &legend))
    }

    fn axes(&self, area: &Area<'_>, frame: &Frame, xs: (f64, f64), ys: (f64, f64)) -> Drawn {
        let black = BLACK.to_rgba();
        let Frame { left, right, top, bottom } = *frame;
        line(area, &[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], black, 0.6)?;
        for (place, text) in self.x.ticks(xs) {
            let x = left + (place - xs.0) / (xs.1 - xs.0) * (right - left);
            let length = if text.is_some() { 3.5 } else { 2.0 };
            line(area, &[(x, bottom), (x, bottom - length)], black, 0.5)?;
            line(area, &[(x, top), (x, top + length)], black, 0.5)?;
            if let Some(text) = text {
                label(area, &text, (x, bottom + 3.0), TEXT, (HPos::Center, VPos::Top), &BLACK)?;
            }
        }
        for (place, text) in self.y.ticks(ys) {
            let y = bottom - (place - ys.0) / (ys.1 - ys.0) * (bottom - top);
            let length = if text.is_some() { 3.5 } else { 2.0 };
            line(area, &[(left, y), (left + length, y)], black, 0.5)?;
            line(area, &[(right, y), (right - length, y)], black, 0.5)?;
            if let Some(text) = text {
                let size = if self.y.words.is_empty() { TEXT } else { SMALL };
                label(area, &text, (left - 3.0, y), size, (HPos::Right, VPos::Center), &BLACK)?;
            }
        }
        if let Some(gap) = self.x.gap().filter(|gap| *gap > xs.0 && *gap < xs.1) {
            let x = left + (gap - xs.0) / (xs.1 - xs.0) * (right - left);
            for y in [top, bottom] {
                let white = ShapeStyle { color: WHITE.to_rgba(), filled: true, stroke_width: 0 };
                area.draw(&Rectangle::new([px((x - 1.5, y - 1.0)), px((x + 1.5, y + 1.0))], white))?;
                for shift in [-1.5, 1.5] {
                    line(area, &[(x + shift - 1.0, y + 2.5), (x + shift + 1.0, y - 2.5)], black, 0.5)?;
                }
            }
        }
        label(
            area,
            &self.x.label,
            (0.5 * (left + right), bottom + 14.0),
            TEXT,
            (HPos::Center, VPos::Top),
            &BLACK,
        )?;
        if !self.y.label.is_empty() {
            let style = TextStyle::from((FONT, TEXT * PX).into_font())
                .color(&BLACK)
                .pos(Pos::new(HPos::Center, VPos::Top))
                .transform(FontTransform::Rotate270);
            area.draw(&Text::new(
                self.y.label.clone(),
                px((left - self.left_margin() + 3.0, 0.5 * (top + bottom))),
                style,
            ))?;
        }
        Ok(())
    }

    /// The legend, where the search has put it.
    fn legend(&self, area: &Area<'_>, legend: &Legend) -> Drawn {
        let entries = self.series.iter().filter(|s| s.label.is_some());
        for (index, series) in entries.enumerate() {
            let (column, row) = (index / legend.rows, index % legend.rows);
            let x = legend.left + column as f64 * legend.entry;
            let y = legend.top + LEGEND_LINE * (row as f64 + 0.5);
            series.sample(area, (x, y))?;
            let text = series.label.as_deref().map(minus).unwrap_or_default();
            label(area, &text, (x + 19.0, y), SMALL, (HPos::Left, VPos::Center), &BLACK)?;
        }
        Ok(())
    }

    /// Ranges of positions, and a place for the legend where it covers nothing: every layout in columns is
    /// tried all over the box, and where none is free, above the data.
    fn layout(&self, frame: &Frame) -> (Extent, Extent, Option<Legend>) {
        let (xs, ys) = self.extents();
        let labels: Vec<usize> =
            self.series.iter().filter_map(|s| s.label.as_ref()).map(|l| seen(l)).collect();
        let Some(longest) = labels.iter().max() else { return (xs, ys, None) };
        let entry = 24.0 + 3.6 * *longest as f64;
        let rooms: &[f64] = if self.y.range.is_none() { &[0.0, 0.15, 0.3, 0.45] } else { &[0.0] };
        let mut best: Option<(usize, Extent, Legend)> = None;
        for room in rooms {
            let ys = (ys.0, ys.1 + room * (ys.1 - ys.0));
            let ink = self.ink(frame, xs, ys);
            for columns in 1..=labels.len().min(4) {
                let rows = labels.len().div_ceil(columns);
                let (width, height) = (entry * columns as f64 - 5.0, LEGEND_LINE * rows as f64);
                let free =
                    (frame.right - frame.left - width - 10.0, frame.bottom - frame.top - height - 10.0);
                if free.0 < 0.0 || free.1 < 0.0 {
                    continue;
                }
                for (fx, fy) in PLACES {
                    let (left, top) = (frame.left + 5.0 + fx * free.0, frame.top + 5.0 + fy * free.1);
                    let covers = |(x, y): &&(f64, f64)| {
                        *x > left - 3.0
                            && *x < left + width + 2.0
                            && *y > top - 2.0
                            && *y < top + height + 2.0
                    };
                    let crowd = ink.iter().filter(covers).count();
                    if best.as_ref().is_none_or(|(least, ..)| crowd < *least) {
                        best = Some((crowd, ys, Legend { left, top, entry, rows }));
                    }
                }
            }
            if best.as_ref().is_some_and(|(crowd, ..)| *crowd == 0) {
                break;
            }
        }
        match best {
            Some((_, ys, legend)) => (xs, ys, Some(legend)),
            None => (xs, ys, None),
        }
    }

    /// Points all over what is drawn (pt).
    fn ink(&self, frame: &Frame, xs: Extent, ys: Extent) -> Vec<(f64, f64)> {
        const STEPS: usize = 12;
        let at = |x: f64, y: f64| self.position(frame, xs, ys, x, y);
        let mut ink = Vec::new();
        let mut segment = |a: Option<(f64, f64)>, b: Option<(f64, f64)>| {
            if let (Some(a), Some(b)) = (a, b) {
                ink.extend((0..=STEPS).map(|i| {
                    let part = i as f64 / STEPS as f64;
                    (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1))
                }));
            }
        };
        for series in &self.series {
            let count = series.x.len();
            for i in 0..count {
                let value = series.y.get(i).and_then(|y| at(series.x[i], *y));
                let low = series.lo.get(i).copied();
                let high = series.hi.get(i).copied();
                match series.mark {
                    Mark::Span => segment(
                        low.and_then(|x| at(x, series.y[i])).or(value),
                        high.and_then(|x| at(x, series.y[i])).or(value),
                    ),
                    Mark::Columns(_) => segment(value, value.map(|(x, _)| (x, frame.bottom))),
                    Mark::Line(_) if i + 1 < count => segment(value, at(series.x[i + 1], series.y[i + 1])),
                    _ => segment(
                        low.and_then(|y| at(series.x[i], y)).or(value),
                        high.and_then(|y| at(series.x[i], y)).or(value),
                    ),
                }
            }
        }
        ink
    }

    /// Place of a value in the picture (pt), a little beyond the box at most.
    fn position(&self, frame: &Frame, xs: Extent, ys: Extent, x: f64, y: f64) -> Option<(f64, f64)> {
        let fx = (self.x.place(x)? - xs.0) / (xs.1 - xs.0);
        let fy = (self.y.place(y)? - ys.0) / (ys.1 - ys.0);
        Some((
            frame.left + fx.clamp(-0.02, 1.02) * (frame.right - frame.left),
            frame.bottom - fy.clamp(-0.02, 1.02) * (frame.bottom - frame.top),
        ))
    }
}

/// Range of positions on an axis.
type Extent = (f64, f64);

/// Letters of a label that are seen: not the marks of subscripts.
fn seen(label: &str) -> usize {
    label.replace("_{", "").replace('}', "").chars().count()
}

/// Height of a line of the legend (pt).
const LEGEND_LINE: f64 = 9.5;

/// Where a legend may stand, as fractions of the free room: corners first, then edges, then anywhere.
const PLACES: [(f64, f64); 25] = [
    (1.0, 0.0),
    (0.0, 0.0),
    (0.0, 1.0),
    (1.0, 1.0),
    (0.5, 0.0),
    (0.5, 1.0),
    (0.0, 0.5),
    (1.0, 0.5),
    (0.0, 0.25),
    (1.0, 0.25),
    (0.0, 0.75),
    (1.0, 0.75),
    (0.25, 0.0),
    (0.75, 0.0),
    (0.25, 1.0),
    (0.75, 1.0),
    (0.5, 0.5),
    (0.25, 0.25),
    (0.75, 0.25),
    (0.25, 0.75),
    (0.75, 0.75),
    (0.5, 0.25),
    (0.5, 0.75),
    (0.25, 0.5),
    (0.75, 0.5),
];

/// A legend in its place (pt).
struct Legend {
    left: f64,
    top: f64,
    /// Width of an entry.
    entry: f64,
    /// Entries in a column.
    rows: usize,
}

/// Lengths of dashes and gaps (pt).
const DASHES: [&[f64]; 4] = [&[], &[4.0, 2.0], &[1.2, 1.6], &[5.0, 1.5, 1.2, 1.5]];

impl Series {
    fn colour(&self) -> RGBColor {
        COLOURS[self.colour % COLOURS.len()]
    }

    fn draw(&self, area: &Area<'_>, frame: &Frame, at: &dyn Fn(f64, f64) -> Option<(f64, f64)>) -> Drawn {
        let colour = self.colour().to_rgba();
        let pairs = || self.x.iter().zip(&self.y).map(|(x, y)| at(*x, *y));
        match self.mark {
            Mark::Line(dash) => {
                let points: Vec<_> = pairs().collect();
                for part in points.split(Option::is_none) {
                    let part: Vec<(f64, f64)> = part.iter().flatten().copied().collect();
                    dashed(area, &part, DASHES[dash % DASHES.len()], colour)?;
                }
                Ok(())
            }
            Mark::Points(shape) => {
                for (i, point) in pairs().enumerate() {
                    let Some((x, y)) = point else { continue };
                    if let (Some(lo), Some(hi)) = (self.lo.get(i), self.hi.get(i))
                        && let (Some((_, lo)), Some((_, hi))) = (at(self.x[i], *lo), at(self.x[i], *hi))
                    {
                        line(area, &[(x, lo), (x, hi)], colour, 0.6)?;
                    }
                    marker(area, (x, y), shape, colour)?;
                }
                Ok(())
            }
            Mark::Dots => {
                let style = ShapeStyle { color: colour, filled: true, stroke_width: 0 };
                for point in pairs().flatten() {
                    area.draw(&Circle::new(px(point), (0.7 * PX) as i32, style))?;
                }
                Ok(())
            }
            Mark::Band => {
                let along = |values: &[f64]| -> Vec<(f64, f64)> {
                    self.x.iter().zip(values).filter_map(|(x, y)| at(*x, *y)).collect()
                };
                let mut outline = along(&self.lo);
                outline.extend(along(&self.hi).into_iter().rev());
                let style = ShapeStyle { color: colour.mix(0.18), filled: true, stroke_width: 0 };
                area.draw(&Polygon::new(outline.into_iter().map(px).collect::<Vec<_>>(), style))
            }
            Mark::Columns(width) => {
                let style = ShapeStyle { color: colour.mix(0.55), filled: true, stroke_width: 0 };
                for (x, y) in self.x.iter().zip(&self.y) {
                    if let (Some(a), Some(b)) = (at(x - 0.5 * width, *y), at(x + 0.5 * width, *y)) {
                        let base = at(*x, 0.0).map_or(frame.bottom, |p| p.1);
                        area.draw(&Rectangle::new([px(a), px((b.0, base))], style))?;
                    }
                }
                Ok(())
            }
            Mark::Span => {
                for i in 0..self.x.len() {
                    let ends = (self.lo.get(i).copied(), self.hi.get(i).copied());
                    if let (Some(lo), Some(hi)) = ends
                        && let (Some(a), Some(b)) = (at(lo, self.y[i]), at(hi, self.y[i]))
                    {
                        line(area, &[a, b], colour.mix(0.35), 5.0)?;
                    }
                    if let Some(point) = at(self.x[i], self.y[i]) {
                        line(area, &[(point.0, point.1 - 4.0), (point.0, point.1 + 4.0)], colour, 1.2)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Its sample in the legend.
    fn sample(&self, area: &Area<'_>, (x, y): (f64, f64)) -> Drawn {
        let colour = self.colour().to_rgba();
        match self.mark {
            Mark::Line(dash) => dashed(area, &[(x, y), (x + 15.0, y)], DASHES[dash % DASHES.len()], colour),
            Mark::Points(shape) => marker(area, (x + 7.5, y), shape, colour),
            Mark::Dots => {
                let style = ShapeStyle { color: colour, filled: true, stroke_width: 0 };
                area.draw(&Circle::new(px((x + 7.5, y)), PX as i32, style))
            }
            Mark::Band | Mark::Columns(_) | Mark::Span => {
                let style = ShapeStyle { color: colour.mix(0.35), filled: true, stroke_width: 0 };
                area.draw(&Rectangle::new([px((x, y - 2.5)), px((x + 15.0, y + 2.5))], style))
            }
        }
    }
}

fn marker(area: &Area<'_>, (x, y): (f64, f64), shape: usize, colour: RGBAColor) -> Drawn {
    let r = 2.2;
    let outline: Vec<(f64, f64)> = match shape % 4 {
        0 => (0..=24)
            .map(|i| f64::from(i) / 24.0 * std::f64::consts::TAU)
            .map(|a| (x + r * a.cos(), y + r * a.sin()))
            .collect(),
        1 => vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r), (x - r, y - r)],
        2 => vec![(x, y - 1.2 * r), (x + 1.1 * r, y + 0.8 * r), (x - 1.1 * r, y + 0.8 * r), (x, y - 1.2 * r)],
        _ => vec![(x, y - 1.3 * r), (x + 1.3 * r, y), (x, y + 1.3 * r), (x - 1.3 * r, y), (x, y - 1.3 * r)],
    };
    let white = ShapeStyle { color: WHITE.to_rgba(), filled: true, stroke_width: 0 };
    area.draw(&Polygon::new(outline.iter().map(|p| px(*p)).collect::<Vec<_>>(), white))?;
    line(area, &outline, colour, 0.7)
}

/// A line in dashes of the given lengths; solid without.
fn dashed(area: &Area<'_>, points: &[(f64, f64)], pattern: &[f64], colour: RGBAColor) -> Drawn {
    if points.len() < 2 {
        return Ok(());
    }
    if pattern.is_empty() {
        return line(area, points, colour, 1.0);
    }
    let (mut index, mut left) = (0, pattern[0]);
    let mut dash = vec![points[0]];
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                dash.push(to);
                break;
            }
            let part = left / length;
            from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
            dash.push(from);
            if index % 2 == 0 {
                line(area, &dash, colour, 1.0)?;
            }
            dash = vec![from];
            index += 1;
            left = pattern[index % pattern.len()];
        }
    }
    if index % 2 == 0 { line(area, &dash, colour, 1.0) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::*;

    fn figure() -> Figure {
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 50.0 - x).collect();
        let panel = Panel {
            title: "a line".into(),
            x: Axis::new("Gate voltage V_{G} (V)", Scale::Linear),
            y: Axis::new("y", Scale::Linear),
            series: vec![Series::new(Some("falls"), 1, Mark::Line(0), x, y)],
        };
        Figure {
            width_in: ONE_COLUMN_IN,
            row_in: 2.5,
            columns: 1,
            panels: vec![panel],
            note: "synthetic data".into(),
        }
    }

    #[test]
    fn a_picture_has_its_size_record_note_and_subscripts_and_the_same_bytes() {
        let svg = figure().svg("{\"key\":\"a<b\"}").unwrap();
        assert_eq!(svg, figure().svg("{\"key\":\"a<b\"}").unwrap());
        assert!(svg.contains("width=\"252.0pt\"") && svg.contains("synthetic data"));
        assert!(svg.contains("<metadata>{\"key\":\"a&lt;b\"}</metadata>"));
        assert!(svg.contains(">G</tspan>") && !svg.contains("_{"));
        assert!(
            figure().csv(&[]).contains("\"falls\",3.0,47.0") || figure().csv(&[]).contains("\"falls\",3,47")
        );
    }

    #[test]
    fn a_legend_covers_nothing() {
        let figure = figure();
        let panel = &figure.panels[0];
        let frame = Frame { left: 40.0, right: 240.0, top: 15.0, bottom: 150.0 };
        let (xs, ys, legend) = panel.layout(&frame);
        let legend = legend.unwrap();
        let width = legend.entry;
        let covered = panel.ink(&frame, xs, ys).into_iter().filter(|(x, y)| {
            *x > legend.left && *x < legend.left + width && *y > legend.top && *y < legend.top + LEGEND_LINE
        });
        assert_eq!(covered.count(), 0);
        // It is in the free corner, so that no room had to be made.
        assert_eq!(ys, panel.extents().1);
    }
}
