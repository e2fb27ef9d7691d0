//! Programs made of the corpus's workflows: they say exactly what the workflows say.

use std::fs;
use std::path::{Path, PathBuf};

use floe_lang::ast::File;
use floe_lang::comfy::program::{Options, program};
use floe_lang::comfy::prompt::Prompt;
use floe_lang::comfy::{Limits, read};
use floe_lang::{SourceFile, format, parse};
use floe_stdlib::Library;
use floe_testing::expand::expand;
use floe_testing::flat::{Flat, differences, from_prompt, kinds};
use floe_testing::shared;

/// Every file of the corpus with the prompt that is read from it, where one is.
fn prompts() -> Vec<(String, Prompt)> {
    let folders = ["corpus/ui", "corpus/api", "corpus/micro/ui"];
    let mut paths: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    paths.sort();
    let prompts = paths.into_iter().filter_map(|path| {
        let text = fs::read_to_string(&path).expect("the corpus is text");
        let read = read(&text, &Library, Limits::default());
        let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
        Some((name, read.prompt.filter(|_| read.errors.is_empty())?))
    });
    prompts.collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let listed =
        fs::read_dir(shared(Path::new(folder).to_str().expect("a path"))).expect("the corpus can be listed");
    listed.map(|entry| entry.expect("a file").path()).collect()
}

/// The program with its text, parsed again.
fn parsed(file: &File) -> (String, File) {
    let text = format(file);
    let parsed = parse(&SourceFile::new("imported.flow".to_owned(), text.clone()));
    assert_eq!(parsed.errors, [], "{text}");
    (text, parsed.ast)
}

#[test]
fn programs_say_what_their_workflows_say() {
    let options =
        [Options { ids: true, ..Options::default() }, Options { ids: true, layout: true, params: true }];
    let mut told = Vec::new();
    let prompts = prompts();
    for (name, prompt) in &prompts {
        for options in options {
            let expanded = expanded(prompt, options);
            let lines = differences(&from_prompt(prompt), &expanded, &Library);
            told.extend(lines.into_iter().map(|line| format!("{name}: {line}")));
        }
    }
    println!("{} workflows", prompts.len());
    assert!(told.is_empty(), "{} differences\n{}", told.len(), told[..told.len().min(40)].join("\n"));
}

fn expanded(prompt: &Prompt, options: Options) -> Flat {
    let file = program(prompt, &Library, options).expect("a workflow without circles");
    let (_, file) = parsed(&file);
    expand(&file, &Library)
}

/// Without ids, copies of a subgraph become one flow.
#[test]
fn programs_without_ids_have_the_same_nodes() {
    let mut told = Vec::new();
    for (name, prompt) in prompts() {
        let expected = kinds(&from_prompt(&prompt), &Library);
        for params in [false, true] {
            let options = Options { params, ..Options::default() };
            if kinds(&expanded(&prompt, options), &Library) != expected {
                told.push(name.clone());
            }
        }
    }
    assert!(told.is_empty(), "{} differ\n{}", told.len(), told.join("\n"));
}

#[test]
fn programs_are_formatted_as_they_will_be() {
    for (name, prompt) in prompts() {
        for params in [false, true] {
            let options = Options { params, ..Options::default() };
            let mut file = program(&prompt, &Library, options).expect("a workflow without circles");
            let (text, mut again) = parsed(&file);
            assert_eq!(format(&again), text, "{name}");
            let (remarks, same) = (file.strip_layout(), again.strip_layout());
            assert_eq!(remarks, same, "{name}");
            assert!(file == again, "{name} is another program after it was printed");
        }
    }
}
