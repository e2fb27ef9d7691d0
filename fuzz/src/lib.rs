//! What must hold for any bytes at all. The targets call this with what a fuzzer makes up, a test of the workspace with
//! the seeds and some changes of them.

use std::io::Cursor;

use floe_formats::{Contents, Header};
use floe_lang::comfy::{self, Limits, picture, program};
use floe_lang::{SourceFile, ast, format, parse};
use floe_stdlib::Library;

/// Unpacked texts of pictures may be this large: small, so that it is reached.
const PICTURE_LIMIT: usize = 1 << 16;

/// Workflows of more nodes are refused: a few bytes can say very many, and each is a node to be made.
const NODES: usize = 2000;

/// Any text parses; what parses without an error is formatted to a text that means the same and stays as it is.
pub fn parser(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = SourceFile::new("fuzz.flow", text);
    let parsed = parse(&file);
    for error in &parsed.errors {
        assert!(!error.to_string().is_empty());
    }
    if parsed.errors.is_empty() {
        is_stable(&parsed.ast, &format(&parsed.ast));
    }
}

/// Any bytes are JSON of ComfyUI or an error; a workflow gives a program that parses again and is in the one style.
pub fn import(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let limits = Limits { bytes: 1 << 20, nodes: NODES, ..Limits::default() };
    let read = comfy::read(text, &Library, limits);
    for error in &read.errors {
        assert!(!error.to_string().is_empty());
    }
    let Some(prompt) = read.prompt.filter(|_| read.errors.is_empty()) else { return };
    for (ids, layout, params) in [(false, false, false), (true, true, true)] {
        let options = program::Options { ids, layout, params };
        let file = program::program(&prompt, &Library, options).expect("readers refuse circles");
        let text = format(&file);
        is_stable(&file, &text);
    }
}

/// Any bytes are a picture with a workflow within the limit, or an error with words.
pub fn picture(bytes: &[u8]) {
    match picture::read(bytes, PICTURE_LIMIT) {
        Ok(picture::Embedded::Flow { text, .. } | picture::Embedded::Json { text, .. }) => {
            assert!(!text.is_empty() && text.len() <= PICTURE_LIMIT);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Any bytes are a model file whose tensors lie inside of it, or an error with words; what it is, is known or an error.
pub fn header(bytes: &[u8]) {
    let header = match Header::read(&mut Cursor::new(bytes)) {
        Ok(header) => header,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(header.file_bytes, bytes.len() as u64);
    for (name, info) in &header.tensors {
        assert!(info.end() <= header.file_bytes, "{name}");
        let place = usize::try_from(info.start).ok().zip(usize::try_from(info.end()).ok());
        let stored = place.and_then(|(start, end)| bytes.get(start..end)).expect("it lies in the file");
        assert_eq!(info.values(stored).is_some(), info.dtype.is_float(), "{name}");
    }
    match Contents::of(&header) {
        Ok(contents) => {
            for component in &contents.components {
                assert!(component.tensors.tensors.values().all(|info| info.end() <= header.file_bytes));
            }
            if let Some(lora) = &contents.lora {
                let networks: Vec<_> = contents.components.iter().collect();
                assert_eq!(lora.targets(&networks).left.len(), lora.modules.len());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The text of a program parses to the same program, and is in the one style already.
fn is_stable(file: &ast::File, text: &str) {
    let again = parse(&SourceFile::new("formatted.flow", text));
    assert!(again.errors.is_empty(), "{:?}\n{text}", again.errors);
    assert_eq!(format(&again.ast), text, "not stable");
    assert_eq!(again.ast.statements.len(), file.statements.len(), "{text}");
}
