//! How large an editor draws a node, so that nothing is drawn over anything else.

use floe_lang::decl::{NodeDecl, Type};

/// One socket, or one line of text.
const ROW: f64 = 20.0;

/// One widget with the gap below it.
const WIDGET: f64 = 24.0;

/// A text area.
const TEXT: f64 = 120.0;

/// A picture that a node shows.
const PICTURE: f64 = 260.0;

/// Free space above and below.
const MARGIN: f64 = 14.0;

/// About the width of a letter.
const LETTER: f64 = 7.5;

/// What a node shows.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) title: usize,
    /// Letters of the names of sockets, on both sides.
    pub(super) sockets: (Vec<usize>, Vec<usize>),
    /// Letters of the names and values of widgets.
    pub(super) widgets: Vec<usize>,
    /// Text areas.
    pub(super) texts: usize,
    pub(super) picture: bool,
}

impl Content {
    /// Width and height.
    pub(super) fn size(&self) -> (f64, f64) {
        let letters = |counts: &[usize]| counts.iter().copied().max().unwrap_or(0) as f64;
        let (left, right) = &self.sockets;
        let sockets = (letters(left) + letters(right)) * LETTER + 60.0;
        let widgets = letters(&self.widgets) * LETTER + 60.0;
        let least = match (self.texts, self.widgets.len()) {
            (0, 0) => 210.0,
            (0, _) => 270.0,
            _ => 400.0,
        };
        let width = sockets.max(widgets).max(self.title as f64 * LETTER + 60.0).clamp(least, 480.0);
        let rows = left.len().max(right.len()) as f64;
        let mut height = rows * ROW + self.widgets.len() as f64 * WIDGET + self.texts as f64 * TEXT + MARGIN;
        if self.picture {
            height += PICTURE;
        }
        ((width / 5.0).ceil() * 5.0, height.max(30.0))
    }
}

/// The least width of a frame: its title, in letters that are larger than those of nodes.
pub(super) fn frame(title: &str) -> f64 {
    const LETTER: f64 = 13.0;
    title.chars().count() as f64 * LETTER + 20.0
}

/// Width and height of a note: as many lines as its text takes, up to a screen of them.
pub(super) fn note(text: &str) -> (f64, f64) {
    const WIDTH: f64 = 400.0;
    const LINE: f64 = 18.0;
    const LINES: usize = 40;
    let per_line = ((WIDTH - 30.0) / LETTER) as usize;
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(per_line).max(1)).sum();
    (WIDTH, (lines.min(LINES) as f64 * LINE + 70.0).max(90.0))
}

/// Whether a node of a class shows a picture: those that load one, and those that end with one.
pub(super) fn shows_picture(decl: &NodeDecl) -> bool {
    let is_picture = |ty: &Type| matches!(ty, Type::Data { comfy, .. } if comfy == "IMAGE");
    let of_pictures = |ty: &Type| matches!(ty, Type::File { folder, .. } if folder == "input/image" || folder == "input/video");
    let loads = decl.inputs.iter().any(|input| input.marks.upload && of_pictures(&input.ty));
    loads || (decl.output_node && decl.inputs.iter().any(|input| is_picture(&input.ty)))
}
