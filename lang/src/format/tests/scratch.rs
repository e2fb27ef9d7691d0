use super::*;

#[test]
fn scratch() {
    for path in std::env::var("FLOWS").unwrap().split(' ') {
        let text = std::fs::read_to_string(path).unwrap();
        let parsed = parse(&SourceFile::new(path, text.clone()));
        println!("== {path} {:?}", parsed.errors);
        println!("{}", format(&parsed.ast));
    }
}
