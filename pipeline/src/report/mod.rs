//! The report: one page of HTML that carries everything it shows.

use std::fmt::Write as _;

/// A page being written: sections of text, figures and tables, in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    title: String,
    body: String,
    contents: Vec<(String, String)>,
}

/// Text as HTML shows it; `V_{G}` as in figures: a subscript.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut parts = text.split("_{");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((below, rest)) => shown.extend(["<sub>", below, "</sub>", rest]),
            None => shown.extend(["_{", part]),
        }
    }
    shown
}

impl Page {
    /// An empty page.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) -> &mut Self {
        let id = format!("s{}", self.contents.len() + 1);
        let _ = writeln!(self.body, "<h2 id=\"{id}\">{}</h2>", escape(title));
        self.contents.push((id, title.to_owned()));
        self
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let _ = writeln!(self.body, "<p>{}</p>", escape(text));
        self
    }

    /// Lines that stand out.
    pub fn lines(&mut self, lines: &[&str]) -> &mut Self {
        self.body.push_str("<ul class=\"headline\">\n");
        for line in lines {
            let _ = writeln!(self.body, "<li>{}</li>", escape(line));
        }
        self.body.push_str("</ul>\n");
        self
    }

    /// A list.
    pub fn list(&mut self, items: &[String]) -> &mut Self {
        self.body.push_str("<ul>\n");
        for item in items {
            let _ = writeln!(self.body, "<li>{}</li>", escape(item));
        }
        self.body.push_str("</ul>\n");
        self
    }

    /// A figure with its caption; `svg` is taken as it is.
    pub fn figure(&mut self, svg: &str, caption: &str) -> &mut Self {
        let start = svg.find("<svg").unwrap_or(0);
        let _ = writeln!(
            self.body,
            "<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>",
            &svg[start..],
            escape(caption)
        );
        self
    }

    /// A table with a header.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) -> &mut Self {
        self.body.push_str("<div class=\"wide\"><table>\n<tr>");
        for cell in header {
            let _ = write!(self.body, "<th>{}</th>", escape(cell));
        }
        self.body.push_str("</tr>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for cell in row {
                let _ = write!(self.body, "<td>{}</td>", escape(cell));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</table></div>\n");
        self
    }

    /// The page. The same bytes for the same content.
    pub fn html(&self) -> String {
        let mut contents = String::new();
        for (id, title) in &self.contents {
            let _ = write!(contents, "<a href=\"#{id}\">{}</a> ", escape(title));
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<nav>{contents}</nav>\n{body}</body>\n</html>\n",
            title = escape(&self.title),
            body = self.body
        )
    }
}

const STYLE: &str = "\
body{font:16px/1.5 'Liberation Sans',Arial,Helvetica,sans-serif;color:#222;background:#fff;max-width:60em;\
margin:2em auto;padding:0 1em}\
h1{font-size:1.6em;line-height:1.2}h2{font-size:1.2em;margin-top:2.2em;border-bottom:1px solid #ccc}\
nav{font-size:.85em}nav a{margin-right:1em}a{color:#0072B2}\
.headline{background:#f2f6f9;border-left:4px solid #0072B2;padding:.8em 1em .8em 2em}\
figure{margin:1.5em 0}figure svg{max-width:100%;height:auto}figcaption{font-size:.85em;color:#444;max-width:48em}\
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85em;margin:1em 0}\
sub{line-height:0}th,td{padding:.2em .7em;text-align:left;vertical-align:top}th{border-bottom:2px solid #222;border-top:2px solid #222}\
tr:last-child td{border-bottom:2px solid #222}\
@media print{nav{display:none}figure{break-inside:avoid}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_and_escaped() {
        let mut page = Page::new("a < b");
        page.section("one")
            .text("1 & 2, I_{D}")
            .figure("<?xml?><svg></svg>", "cap")
            .table(&["h"], &[vec!["<c>".into()]]);
        let html = page.html();
        assert!(
            html.contains("a &lt; b")
                && html.contains("1 &amp; 2, I<sub>D</sub>")
                && html.contains("&lt;c&gt;")
        );
        assert!(html.contains("<svg></svg>") && !html.contains("<?xml") && !html.contains("http"));
        assert_eq!(html, page.html());
    }
}
