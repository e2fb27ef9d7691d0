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
        let least = if self.texts > 0 { 400.0 } else { 225.0 };
        let width = sockets.max(widgets).max(self.title as f64 * LETTER + 60.0).clamp(least, 480.0);
        let rows = left.len().max(right.len()) as f64;
        let mut height = rows * ROW + self.widgets.len() as f64 * WIDGET + self.texts as f64 * TEXT + MARGIN;
        if self.picture {
            height += PICTURE;
        }
        ((width / 5.0).ceil() * 5.0, height.max(30.0))
    }
}

/// Whether a node of a class shows a picture: those that load one, and those that end with one.
pub(super) fn shows_picture(decl: &NodeDecl) -> bool {
    let is_picture = |ty: &Type| matches!(ty, Type::Data { comfy, .. } if comfy == "IMAGE");
    let loads = decl.inputs.iter().any(|input| input.marks.upload);
    loads || (decl.output_node && decl.inputs.iter().any(|input| is_picture(&input.ty)))
}
