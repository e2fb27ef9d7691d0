use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;
const GRAPH: &str = r#"{"nodes": [], "links": []}"#;
const PROMPT: &str = r#"{"3": {"class_type": "KSampler", "inputs": {}}}"#;

/// The JSON of a picture, whatever it goes by.
fn json_of(bytes: &[u8]) -> Result<String, PictureError> {
    match read(bytes, LIMIT)? {
        Embedded::Json { text, .. } => Ok(text),
        Embedded::Flow { text, .. } => panic!("a program: {text}"),
    }
}

fn json(text: &str) -> Result<String, PictureError> {
    Ok(text.to_owned())
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    let len = u32::try_from(data.len()).expect("short");
    [&len.to_be_bytes(), kind.as_slice(), data, &crc.sum().to_be_bytes()].concat()
}

fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = png::SIGNATURE.to_vec();
    bytes.extend(chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]));
    for (kind, data) in chunks {
        bytes.extend(chunk(kind, data));
    }
    bytes.extend(chunk(b"IEND", b""));
    bytes
}

fn named(name: &str, text: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b"\0", text].concat()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// EXIF in which each text has a tag of the first directory; `UserComment` goes into the one below.
fn exif(texts: &[(u16, &[u8])], big_endian: bool) -> Vec<u8> {
    let two = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let four = |n: usize| {
        let n = u32::try_from(n).expect("short");
        if big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    };
    let (below, first): (Vec<_>, Vec<_>) = texts.iter().partition(|(tag, _)| *tag == 0x9286);
    let size = |entries: usize| 2 + entries * 12 + 4;
    let below_at = 8 + size(first.len() + 1);
    let mut text_at = below_at + size(below.len());
    let mut out = if big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    let mut strings = Vec::new();
    out.extend(four(8));
    for (directory, pointer) in [(&first, true), (&below, false)] {
        out.extend(two(u16::try_from(directory.len()).expect("short") + u16::from(pointer)));
        for (tag, text) in directory.iter() {
            out.extend([two(*tag), two(if *tag == 0x9286 { 7 } else { 2 })].concat());
            out.extend(four(text.len()));
            match text.len() {
                0..=4 => out.extend([text, &[0; 4][text.len()..]].concat()),
                _ => out.extend(four(text_at)),
            }
            if text.len() > 4 {
                text_at += text.len();
                strings.extend_from_slice(text);
            }
        }
        if pointer {
            out.extend([two(0x8769), two(4)].concat());
            out.extend([four(1), four(below_at)].concat());
        }
        out.extend(four(0));
    }
    out.extend(strings);
    out
}

fn webp(exif: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let len = u32::try_from(data.len()).expect("short").to_le_bytes();
        let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
        [kind.as_slice(), &len, data, padding].concat()
    };
    let body = [b"WEBP".to_vec(), chunk(b"VP8 ", b"abc"), chunk(b"EXIF", exif)].concat();
    chunk(b"RIFF", &body)
}

fn jpeg(exif: &[u8]) -> Vec<u8> {
    let segment = |marker: u8, data: &[u8]| {
        let len = u16::try_from(data.len() + 2).expect("short").to_be_bytes();
        [&[0xff, marker], len.as_slice(), data].concat()
    };
    let app1 = segment(0xe1, &[b"Exif\0\0", exif].concat());
    [&[0xff, 0xd8], segment(0xe0, b"JFIF\0").as_slice(), &[0xff], &app1, &[0xff, 0xda, 0, 2, 7]].concat()
}

#[test]
fn the_three_text_chunks_of_png_and_the_one_of_animations() {
    let plain = png(&[(b"tEXt", named("workflow", GRAPH.as_bytes()))]);
    assert_eq!(json_of(&plain), json(GRAPH));
    let zipped = [b"\0".as_slice(), &packed(GRAPH.as_bytes())].concat();
    assert_eq!(json_of(&png(&[(b"zTXt", named("Workflow", &zipped))])), json(GRAPH));
    let international = [b"\0\0de\0Arbeit\0".as_slice(), GRAPH.as_bytes()].concat();
    assert_eq!(json_of(&png(&[(b"iTXt", named("workflow", &international))])), json(GRAPH));
    let international = [b"\x01\0\0\0".as_slice(), &packed(GRAPH.as_bytes())].concat();
    assert_eq!(json_of(&png(&[(b"iTXt", named("workflow", &international))])), json(GRAPH));
    assert_eq!(json_of(&png(&[(b"comf", named("prompt", PROMPT.as_bytes()))])), json(PROMPT));
}

#[test]
fn a_program_is_better_than_a_workflow_and_that_is_better_than_a_prompt() {
    let prompt = (b"tEXt", named("prompt", PROMPT.as_bytes()));
    let graph = (b"tEXt", named("workflow", GRAPH.as_bytes()));
    let flow = (b"tEXt", named("flow", b"edition 1"));
    let params = (b"tEXt", named("flow_params", b"seed = 4"));
    assert_eq!(json_of(&png(&[prompt.clone(), graph.clone()])), json(GRAPH));
    let program = Embedded::Flow { text: "edition 1".to_owned(), params: Some("seed = 4".to_owned()) };
    assert_eq!(read(&png(&[prompt.clone(), graph, flow, params]), LIMIT), Ok(program));
    let nothing = (b"tEXt", named("workflow", b"null"));
    assert_eq!(json_of(&png(&[nothing, prompt])), json(PROMPT));
}

#[test]
fn the_last_of_a_name_counts_also_behind_the_pixels() {
    let old = (b"tEXt", named("workflow", b"{\"old\": 1}"));
    let new = (b"tEXt", named("workflow", GRAPH.as_bytes()));
    assert_eq!(json_of(&png(&[old, (b"IDAT", vec![1, 2, 3]), new])), json(GRAPH));
}

#[test]
fn letters_beyond_ascii_in_either_encoding() {
    let text = r#"{"a": "é"}"#;
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    for bytes in [text.as_bytes(), &latin] {
        assert_eq!(json_of(&png(&[(b"tEXt", named("prompt", bytes))])), json(text));
    }
    // What Floe wrote itself is Latin-1, even where it could be read as UTF-8.
    let flow = Embedded::Flow { text: "// Ã©".to_owned(), params: None };
    assert_eq!(read(&png(&[(b"tEXt", named("flow", b"// \xc3\xa9"))]), LIMIT), Ok(flow));
}

#[test]
fn exif_under_any_tag_in_either_order_of_bytes() {
    let graph = format!("workflow:{GRAPH}\0");
    let prompt = format!("Prompt: {PROMPT}\0");
    for big_endian in [false, true] {
        let both = exif(&[(0x110, prompt.as_bytes()), (0x10f, graph.as_bytes())], big_endian);
        let with_prefix = [b"Exif\0\0".as_slice(), &both].concat();
        for picture in [webp(&both), webp(&with_prefix), jpeg(&both)] {
            assert_eq!(json_of(&picture), json(GRAPH));
        }
        assert_eq!(json_of(&jpeg(&exif(&[(0x10e, prompt.as_bytes())], big_endian))), json(PROMPT));
    }
}

#[test]
fn comments_of_users_in_their_encodings() {
    let wide = |big: bool| -> Vec<u8> {
        PROMPT
            .encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let comments = [
        [b"ASCII\0\0\0", PROMPT.as_bytes()].concat(),
        [b"\0\0\0\0\0\0\0\0", PROMPT.as_bytes()].concat(),
        PROMPT.as_bytes().to_vec(),
        [b"UNICODE\0".as_slice(), &wide(true)].concat(),
        [b"UNICODE\0".as_slice(), &wide(false)].concat(),
        [b"UNICODE\0\xff\xfe".as_slice(), &wide(false)].concat(),
    ];
    for comment in comments {
        for big_endian in [false, true] {
            assert_eq!(json_of(&webp(&exif(&[(0x9286, &comment)], big_endian))), json(PROMPT));
        }
    }
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let bomb = [b"\0".as_slice(), &packed(&vec![b' '; 4 << 20])].concat();
    assert!(bomb.len() < 1 << 14);
    let refused = Err(PictureError::TextTooLarge { key: "workflow".to_owned(), limit: LIMIT });
    assert_eq!(read(&png(&[(b"zTXt", named("workflow", &bomb))]), LIMIT), refused);
    // Many that are each within the limit are beyond it together.
    let half = [b"\0".as_slice(), &packed(&vec![b' '; LIMIT / 2 + 1])].concat();
    let two = vec![(b"zTXt", named("workflow", &half)); 2];
    assert_eq!(read(&png(&two), LIMIT), refused);
}

#[test]
fn strings_that_lie_over_each_other_are_refused() {
    let text = format!("other:{}", "x".repeat(1000));
    let mut bytes = exif(&[(0x10f, text.as_bytes()), (0x110, text.as_bytes())], true);
    // The second entry names the text of the first.
    let first: [u8; 4] = bytes[18..22].try_into().expect("four bytes");
    bytes[30..34].copy_from_slice(&first);
    bytes.truncate(bytes.len() - text.len());
    let problem = "strings of its EXIF lie over each other";
    assert!(
        matches!(read(&webp(&bytes), LIMIT), Err(PictureError::BrokenPicture { problem: p, .. }) if p == problem)
    );
}

#[test]
fn damage_is_an_error_unless_the_workflow_stands_before_it() {
    let text = (b"tEXt", named("workflow", GRAPH.as_bytes()));
    let mut bytes = png(&[text, (b"IDAT", vec![0; 100])]);
    let whole = bytes.len();
    bytes.truncate(whole - 50);
    assert_eq!(json_of(&bytes), json(GRAPH));
    bytes.truncate(60);
    let problem = "it ends in the middle of a chunk";
    assert_eq!(read(&bytes, LIMIT), Err(PictureError::BrokenPicture { kind: "PNG", at: 33, problem }));

    let mut changed = png(&[(b"tEXt", named("workflow", GRAPH.as_bytes()))]);
    changed[60] ^= 1;
    let problem = "the checksum of a text is wrong";
    assert_eq!(read(&changed, LIMIT), Err(PictureError::BrokenPicture { kind: "PNG", at: 41, problem }));
}

#[test]
fn a_wrong_checksum_elsewhere_does_not_matter() {
    let mut bytes = png(&[(b"tEXt", named("workflow", GRAPH.as_bytes()))]);
    bytes[20] ^= 1;
    assert_eq!(json_of(&bytes), json(GRAPH));
}

#[test]
fn messages() {
    let words = |bytes: &[u8]| read(bytes, LIMIT).expect_err("no workflow").to_string();
    let messages = [
        words(b"GIF89a..."),
        words(b"\0\0\0\x1cftypavif"),
        words(&png(&[])),
        words(&png(&[
            (b"tEXt", named("parameters", b"a cat, Steps: 20")),
            (b"tEXt", named("a\x1b[2J", b"")),
        ])),
        words(&png(&[(b"tEXt", b"workflow".to_vec())])),
        words(&png(&[(b"zTXt", named("workflow", b"\0not zlib"))])),
        words(&png(&[(b"zTXt", named("workflow", b"\x07"))])),
        words(&png(&[(b"iTXt", named("workflow", b"\0\0"))])),
        words(&webp(b"II")),
        words(&webp(b"II*\0\xff\xff\xff\xff")),
        words(&webp(b"")[..14]),
        words(&jpeg(b"MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02\0\0\0\x09\0\0\0\x09")),
        words(b"\xff\xd8\xff\xe1\0\0"),
        words(b"\xff\xd8\xff\xe1\0\x10"),
        words(b"\xff\xd8\xff\xe0\0\x02what"),
        words(&jpeg(&exif(&[(0x10f, b"Nikon\0")], true))),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn kinds_are_told_by_their_first_bytes() {
    let kind = |bytes: &[u8]| PictureKind::of(bytes).map(PictureKind::name);
    assert_eq!(kind(b"{\"nodes\": []}"), None);
    assert_eq!(kind(b"BMW(model)"), None);
    assert_eq!(kind(b"BM\x36\0\0\0\0\0\0\0"), Some("BMP"));
    assert_eq!(kind(b"RIFF\0\0\0\0WAVE"), Some("RIFF"));
    assert_eq!(kind(b"RIFF\0\0\0\0WEBP"), Some("WebP"));
    assert_eq!(kind(b"\x89PNG\r\n\x1a\n"), Some("PNG"));
    assert_eq!(kind(b""), None);
}

/// Pictures of each kind, to be damaged.
fn pictures() -> impl Strategy<Value = Vec<u8>> {
    let graph = format!("workflow:{GRAPH}");
    let texts = exif(&[(0x10f, graph.as_bytes()), (0x9286, b"UNICODE\0\0{\0}")], false);
    let zipped = [b"\0".as_slice(), &packed(GRAPH.as_bytes())].concat();
    let chunks = [(b"zTXt", named("workflow", &zipped)), (b"iTXt", named("prompt", b"\0\0\0\0{}"))];
    prop::sample::select(vec![png(&chunks), webp(&texts), jpeg(&texts)])
}

proptest! {
    #[test]
    fn damaged_pictures_never_panic(
        mut bytes in pictures(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        // A text is never longer than what is allowed.
        match read(&bytes, 100) {
            Ok(Embedded::Json { text, .. } | Embedded::Flow { text, .. }) => prop_assert!(text.len() <= 100),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_comes_back(text in "[^\0]{1,200}") {
        prop_assume!(!is_empty(&text));
        let bytes = png(&[(b"iTXt", named("flow", &[b"\0\0\0\0", text.as_bytes()].concat()))]);
        prop_assert_eq!(read(&bytes, LIMIT), Ok(Embedded::Flow { text, params: None }));
    }
}
