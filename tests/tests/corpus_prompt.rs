//! Every workflow of the corpus as a prompt: those with a reference equal it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use floe_lang::comfy::json::{Value, parse};
use floe_lang::comfy::prompt::{InputValue, NamePiece, Prompt};
use floe_lang::comfy::{Format, Limits, Read, read};
use floe_lang::decl::{Declarations, InputDecl, NodeDecl, Type};
use floe_stdlib::Library;
use floe_testing::flat::{differences, from_api, from_prompt};
use floe_testing::object_info::ObjectInfo;
use floe_testing::shared;

/// All files of a folder of the corpus, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(shared(folder)).expect("the corpus can be listed");
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the corpus is text")
}

fn stem(path: &Path) -> String {
    let name = path.file_name().expect("files have names").to_string_lossy().into_owned();
    name.trim_end_matches(".json").trim_end_matches(".ui").trim_end_matches(".api").to_owned()
}

fn import(path: &Path, info: &ObjectInfo) -> Read {
    read(&text(path), info, Limits::default())
}

/// Compares every file of a folder with its reference, as far as it has one; gives how many have, and what differs.
fn compare(folder: &str, expected: &str, info: &ObjectInfo) -> (usize, BTreeMap<String, Vec<String>>) {
    let mut count = 0;
    let mut different = BTreeMap::new();
    for path in files(folder) {
        let reference = shared(expected).join(format!("{}.api.json", stem(&path)));
        if !reference.exists() {
            continue;
        }
        count += 1;
        let read = import(&path, info);
        let told = match &read.prompt {
            None => vec![format!("no prompt: {:?}", read.errors)],
            Some(prompt) => differences(&from_api(&text(&reference)), &from_prompt(prompt), info),
        };
        if !told.is_empty() {
            different.insert(stem(&path), told);
        }
    }
    (count, different)
}

fn report(different: &BTreeMap<String, Vec<String>>) -> String {
    let mut report = String::new();
    for (file, told) in different {
        report.push_str(&format!("{file}: {} differences\n", told.len()));
        told.iter().take(6).for_each(|line| report.push_str(&format!("    {line}\n")));
    }
    report
}

#[test]
fn workflows_are_what_the_editor_makes_of_them() {
    let info = ObjectInfo::load();
    let (count, different) = compare("corpus/ui", "corpus/expected", &info);
    println!("{count} workflows with a reference, {} equal", count - different.len());
    assert_eq!(count, 246);
    assert!(different.is_empty(), "\n{}", report(&different));
}

#[test]
fn cases_of_one_feature_are_what_the_editor_makes_of_them() {
    let info = ObjectInfo::load();
    let (count, different) = compare("corpus/micro/ui", "corpus/micro/expected", &info);
    println!("{count} cases with a reference, {} equal", count - different.len());
    assert_eq!(count, 88);
    assert!(different.is_empty(), "\n{}", report(&different));
}

#[test]
fn prompts_are_read_as_they_are() {
    let info = ObjectInfo::load();
    let mut different = BTreeMap::new();
    let files = files("corpus/api");
    for path in &files {
        let read = import(path, &info);
        assert_eq!((read.format, &read.errors[..]), (Some(Format::Api), &[][..]), "{}", path.display());
        let prompt = read.prompt.expect("a prompt");
        let told = differences(&from_api(&text(path)), &from_prompt(&prompt), &info);
        if !told.is_empty() {
            different.insert(stem(path), told);
        }
    }
    println!("{} prompts, {} equal", files.len(), files.len() - different.len());
    assert!(different.is_empty(), "\n{}", report(&different));
}

/// What importing a text as the product does gives; what it gives holds together.
#[track_caller]
fn sound(name: &str, text: &str) -> Read {
    let read = read(text, &Library, Limits::default());
    assert!(read.prompt.is_some() || !read.errors.is_empty(), "{name}: neither a prompt nor an error");
    let inside = |span: floe_lang::Span| span.end as usize <= text.len() && text.get(span.range()).is_some();
    assert!(read.errors.iter().all(|error| inside(error.span())), "{name}: {:?}", read.errors);
    assert!(read.warnings.iter().all(|warning| inside(warning.span())), "{name}: {:?}", read.warnings);
    if let Some(prompt) = &read.prompt {
        hold_together(name, prompt, text);
    }
    read
}

/// Nodes, instances and inputs that are named by place are there.
#[track_caller]
fn hold_together(name: &str, prompt: &Prompt, text: &str) {
    let ids: BTreeSet<&str> = prompt.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids.len(), prompt.nodes.len(), "{name}: ids are unique");
    for (at, instance) in prompt.instances.iter().enumerate() {
        assert!(instance.parent.is_none_or(|parent| parent < at), "{name}: outer instances come first");
        let given = instance.outputs.iter().filter_map(|output| output.from);
        assert!(given.into_iter().all(|(node, _)| node < prompt.nodes.len()), "{name}: {instance:?}");
    }
    for node in &prompt.nodes {
        // The instances around it, the innermost first.
        let around = |at: &usize| prompt.instances[*at].parent;
        let instances: Vec<usize> = std::iter::successors(node.instance, around).collect();
        assert!(text.get(node.span.range()).is_some(), "{name}: {node:?}");
        for input in &node.inputs {
            let known = |(&at, &instance): (&usize, &usize)| at < prompt.instances[instance].inputs.len();
            let through =
                input.through.len() <= instances.len() && input.through.iter().zip(&instances).all(known);
            assert!(through, "{name}: {} {input:?}", node.id);
            if let (InputValue::Link { node: origin, .. }, Some(around)) = (&input.value, node.instance) {
                let inside = within(prompt, prompt.nodes[*origin].instance, around);
                assert!(
                    inside || !input.through.is_empty(),
                    "{name}: {} {input:?} leaves its subgraph",
                    node.id
                );
            }
            assert!(text.get(input.span.range()).is_some(), "{name}: {input:?}");
            match &input.value {
                InputValue::Link { node, .. } => assert!(*node < prompt.nodes.len(), "{name}: {input:?}"),
                InputValue::FileName(pieces) => assert!(
                    pieces.iter().all(|piece| match piece {
                        NamePiece::Widget(node, _) => *node < prompt.nodes.len(),
                        _ => true,
                    }),
                    "{name}: {input:?}"
                ),
                _ => {}
            }
        }
    }
}

/// Whether an instance is another one or inside of it.
fn within(prompt: &Prompt, mut instance: Option<usize>, around: usize) -> bool {
    while let Some(at) = instance {
        if at == around {
            return true;
        }
        instance = prompt.instances[at].parent;
    }
    false
}

#[test]
fn every_workflow_gives_a_prompt() {
    let mut counts = [0; 3];
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for path in files("corpus/ui").into_iter().chain(files("corpus/api")) {
        let read = sound(&stem(&path), &text(&path));
        counts[0] += 1;
        counts[1] += usize::from(read.prompt.is_some());
        counts[2] += usize::from(read.errors.is_empty());
        let told = read.errors.iter().map(|error| error as &dyn miette::Diagnostic);
        let told = told.chain(read.warnings.iter().map(|warning| warning as &dyn miette::Diagnostic));
        for code in told.filter_map(|told| told.code()) {
            *codes.entry(code.to_string()).or_default() += 1;
        }
    }
    println!("{} files, {} with a prompt, {} without errors; {codes:?}", counts[0], counts[1], counts[2]);
    assert_eq!(counts, [420, 420, 420]);
}

#[test]
fn what_the_editor_cannot_resolve_is_an_error() {
    for case in ["subgraph_passthrough", "cycle_bypassed"] {
        let path = shared(&format!("corpus/micro/ui/{case}.ui.json"));
        assert!(!sound(case, &text(&path)).errors.is_empty(), "{case} is accepted");
    }
}

/// Names of an input's widgets, those of dynamic choices below them, and which store what.
fn widgets(inputs: &[InputDecl], prefix: &str, told: &mut Vec<String>) {
    for input in inputs.iter().filter(|input| !input.hidden) {
        let marks = &input.marks;
        let control = marks.control_after_generate;
        let flags = [input.has_widget(), marks.force_input, control, marks.multiline, marks.dynamic_prompts];
        told.push(format!(
            "{prefix}{} {flags:?} {:?}",
            input.name,
            marks.denied.contains(&"control_after_generate".into())
        ));
        if let Type::Dynamic(choices) = &input.ty {
            for choice in choices.iter() {
                widgets(&choice.inputs, &format!("{prefix}{}={}.", input.name, choice.key), told);
            }
        }
    }
}

#[test]
fn the_library_and_comfyui_agree_on_widgets() {
    let info = ObjectInfo::load();
    let of = |decl: &NodeDecl| {
        let mut told = Vec::new();
        widgets(&decl.inputs, "", &mut told);
        told
    };
    let mut count = 0;
    for decl in info.classes() {
        let ours = Library.node(&decl.name).unwrap_or_else(|| panic!("{} is not declared", decl.name));
        assert_eq!(of(decl), of(ours), "{}", decl.name);
        count += 1;
    }
    assert_eq!(count, 846);
}

// ---- mutations

/// A stream of numbers, the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count.max(1) as u64) as usize
    }
}

/// The ranges of all values of a file, and of the names of members.
fn ranges(value: &Value<'_>, values: &mut Vec<Range<usize>>, names: &mut Vec<Range<usize>>) {
    values.push(value.span.range());
    value.items().iter().for_each(|item| ranges(item, values, names));
    for member in value.members() {
        names.push(member.key_span.range());
        ranges(&member.value, values, names);
    }
}

/// A text with some of its values replaced by others of it, or by values that nobody expects; sometimes names, too.
fn mutated(text: &str, random: &mut Random) -> String {
    const ODD: [&str; 14] = [
        "null",
        "-1",
        "0",
        "1",
        "2",
        "4",
        "1e999",
        "18446744073709552000",
        "\"x\"",
        "\"-10\"",
        "[]",
        "{}",
        "-20",
        "true",
    ];
    let (mut values, mut names) = (Vec::new(), Vec::new());
    ranges(&parse(text).expect("the corpus is JSON").value, &mut values, &mut names);
    let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
    for _ in 0..=random.below(8) {
        let name = !names.is_empty() && random.below(6) == 0;
        let all = if name { &names } else { &values };
        let range = all[random.below(all.len())].clone();
        let other = &text[all[random.below(all.len())].clone()];
        let odd = !name && (random.below(3) > 0 || other.len() > 4000);
        edits.push((range, if odd { ODD[random.below(ODD.len())] } else { other }));
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut mutated = text.to_owned();
    let mut last = mutated.len();
    for (range, with) in edits.into_iter().filter(|(range, _)| range.start > 0) {
        if range.end <= last {
            mutated.replace_range(range.clone(), with);
            last = range.start;
        }
    }
    mutated
}

#[test]
fn mutated_workflows_give_a_prompt_or_an_error() {
    let mut random = Random(1);
    let all = [files("corpus/ui"), files("corpus/api"), files("corpus/micro/ui")].concat();
    let (mut prompts, mut refused) = (0, 0);
    for path in all {
        let text = text(&path);
        let text = text.trim_start_matches('\u{feff}');
        let small = text.len() < 60_000;
        for _ in 0..if small { 12 } else { 1 } {
            let mutated = mutated(text, &mut random);
            match sound(&stem(&path), &mutated).prompt {
                Some(_) => prompts += 1,
                None => refused += 1,
            }
        }
        let cut =
            (0..text.len()).rev().find(|&at| at < text.len() / 2 && text.is_char_boundary(at)).unwrap_or(0);
        assert!(sound(&stem(&path), &text[..cut]).prompt.is_none());
    }
    println!("{prompts} mutated files give a prompt, {refused} an error only");
    assert!(prompts > refused && refused > 0, "mutations neither spare nor break everything");
}
