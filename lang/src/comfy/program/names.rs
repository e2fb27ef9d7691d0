//! Unique names, and which results get which.

use super::super::prompt::{InputValue, Json};
use super::classes::Classes;
use super::inline::{Shape, is_loader};
use super::roles::{self, Polarity};
use super::scope::{Flow, Folded, Item, ItemIndex, Scope, Value, What};
use super::words;
use crate::decl::{OutputDecl, Type};
use crate::names::needs_backticks;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Functions and words of the language: a program may call its values so, but a reader would wonder.
const FUNCTIONS: [&str; 26] = [
    "min",
    "max",
    "clamp",
    "round",
    "floor",
    "ceil",
    "abs",
    "str",
    "int",
    "float",
    "format",
    "join",
    "split",
    "replace",
    "range",
    "zip",
    "enumerate",
    "len",
    "dynamic",
    "now",
    "random",
    "dangling",
    "std",
    "type",
    "in",
    "hidden",
];

/// Names that are taken, with those of the bodies around.
#[derive(Default)]
pub(super) struct Names<'o> {
    outer: Option<&'o Names<'o>>,
    used: HashSet<String>,
    next: HashMap<String, u32>,
}

impl<'o> Names<'o> {
    /// With the words of the language and the classes that a program declares.
    pub(super) fn of_program(classes: &Classes<'_>) -> Self {
        let mut names = Self::default();
        names.used.extend(FUNCTIONS.map(str::to_owned));
        names.used.extend(classes.unknown().iter().map(|class| class.name.to_string()));
        names
    }

    /// Inside of a flow: nothing there is called like something that it sees.
    pub(super) fn inside(outer: &'o Names<'o>) -> Self {
        Self { outer: Some(outer), ..Self::default() }
    }

    /// A name that is free, from now on taken: the one that is wished for, or with a number.
    pub(super) fn take(&mut self, wish: &str) -> String {
        let mut name = wish.to_owned();
        while self.is_taken(&name) {
            let next = self.next.entry(wish.to_owned()).or_insert(1);
            *next += 1;
            name = format!("{wish}_{next}");
        }
        self.used.insert(name.clone());
        name
    }

    /// The same for names of values, which are written without backticks.
    pub(super) fn take_name(&mut self, wish: &str) -> String {
        if needs_backticks(wish) { self.take(&format!("{wish}_")) } else { self.take(wish) }
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.used.contains(name) || self.outer.is_some_and(|outer| outer.is_taken(name))
    }

    pub(super) fn reserve(&mut self, name: &str) {
        self.used.insert(name.to_owned());
    }
}

/// Names the flows, after what their definitions are called. No flow is called like a parameter of any flow.
pub(super) fn flows<'o>(folded: &mut Folded<'_>, classes: &Classes<'_>) -> Names<'o> {
    let mut names = Names::of_program(classes);
    let mut parameters = Names::of_program(classes);
    for flow in &folded.flows {
        flow.scope.bindings.iter().for_each(|binding| parameters.reserve(&binding.name));
    }
    for flow in &mut folded.flows {
        let wish = words::identifier(flow.definition.1).unwrap_or_else(|| "subgraph".to_owned());
        let wish = if classes.is_class(&wish) { format!("{wish}_flow") } else { wish };
        flow.name = parameters.take_name(&wish);
        names.reserve(&flow.name);
    }
    names
}

/// The name of a flow's output.
pub(super) fn output_name(name: &str, comfy: &str) -> String {
    let own = words::identifier(name).filter(|name| !words::says_nothing(name));
    own.or_else(|| roles::noun(comfy)).unwrap_or_else(|| "output".to_owned())
}

/// How an item's results are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// Its only output.
    #[default]
    Alone,
    /// `let (a, _, c) = …`.
    Tuple,
    /// `let a = ….name`.
    Member,
    /// `let all = …`, and `all.name` where it is read.
    Whole,
}

/// The names of an item's results.
#[derive(Debug, Clone, Default)]
pub(super) struct ResultNames {
    pub(super) style: Style,
    /// By slot; one alone for [`Style::Whole`].
    pub(super) names: BTreeMap<u32, String>,
}

/// At most so many results are skipped by `_`.
const MOST_SKIPPED: usize = 3;

fn style(item: &Item<'_>, flows: &[Flow<'_>], slots: &BTreeSet<u32>) -> Style {
    let outputs = match item.what {
        What::Node { decl, .. } => decl.outputs.len(),
        What::Flow { flow, .. } => flows[flow].outputs.len(),
    };
    let Some(&last) = slots.last() else { return Style::Alone };
    let last = last as usize;
    match outputs {
        1 if last == 0 => Style::Alone,
        _ if last < outputs && last < slots.len() + MOST_SKIPPED => Style::Tuple,
        _ if slots.len() == 1 => Style::Member,
        _ => Style::Whole,
    }
}

/// Names every result that is read by name.
pub(super) fn results(
    scope: &Scope<'_>,
    flows: &[Flow<'_>],
    shape: &Shape<'_>,
    order: &[ItemIndex],
    names: &mut Names<'_>,
) -> Vec<ResultNames> {
    let mut namer = Namer {
        scope,
        flows,
        shape,
        polarity: polarity(scope, flows, shape),
        files: file_words(scope),
        loaded: loaded(scope, flows, shape),
        stems: HashMap::new(),
        sampled: sampled(scope, flows, shape),
        given: HashMap::new(),
    };
    let mut results = vec![ResultNames::default(); scope.items.len()];
    for &item in order {
        let slots: BTreeSet<u32> = shape.uses[item].iter().map(|used| used.slot).collect();
        let style = style(&scope.items[item], flows, &slots);
        results[item].style = style;
        if style == Style::Whole {
            let wish = namer.whole(item);
            results[item].names.insert(0, names.take_name(&wish));
            continue;
        }
        for &slot in &slots {
            let wish = namer.wish(item, slot, slots.len(), names);
            let ty = output_type(&scope.items[item], flows, slot);
            namer.given.entry(wish.clone()).or_insert_with(|| ty.to_owned());
            results[item].names.insert(slot, names.take_name(&wish));
        }
    }
    results
}

/// ComfyUI's type of an output.
pub(super) fn output_type<'s>(item: &'s Item<'_>, flows: &'s [Flow<'_>], slot: u32) -> &'s str {
    let slot = slot as usize;
    match item.what {
        What::Flow { flow, .. } => flows[flow].outputs.get(slot).map_or("", |output| output.comfy),
        What::Node { node, decl, .. } => {
            let listed = || node.outputs.get(slot).map_or("", |(_, ty)| ty.as_str());
            match decl.outputs.get(slot).map(|output| &output.ty) {
                Some(Type::Data { comfy, .. }) => comfy,
                Some(Type::Int) => "INT",
                Some(Type::Float) => "FLOAT",
                Some(Type::Bool) => "BOOLEAN",
                Some(Type::String) => "STRING",
                _ => listed(),
            }
        }
    }
}

/// By item and slot: which prompt it serves. What inputs say counts more than what readers of readers say: a prompt
/// that is also zeroed, for the negative one, is the positive one.
pub(super) fn polarity(
    scope: &Scope<'_>,
    flows: &[Flow<'_>],
    shape: &Shape<'_>,
) -> HashMap<(ItemIndex, u32), Polarity> {
    let mut known: HashMap<(ItemIndex, u32), Polarity> = HashMap::new();
    for &item in shape.order.iter().rev() {
        let mut near: BTreeMap<u32, Polarity> = BTreeMap::new();
        let mut far: BTreeMap<u32, Polarity> = BTreeMap::new();
        for used in &shape.uses[item] {
            let said = Polarity::of_input(used.input);
            let at = near.entry(used.slot).or_default();
            *at = at.or(said);
            for through in used.reader.iter().flat_map(|&reader| &shape.uses[reader]) {
                let Some(reader) = used.reader else { continue };
                let ty = output_type(&scope.items[reader], flows, through.slot);
                if said.is_none() && matches!(ty, "CONDITIONING" | "STRING") {
                    let at = far.entry(used.slot).or_default();
                    *at = at.or(known.get(&(reader, through.slot)).copied().unwrap_or_default());
                }
            }
        }
        for (slot, near) in near {
            let far = far.get(&slot).copied().unwrap_or_default();
            known.insert((item, slot), if near.is_none() { far } else { near });
        }
    }
    known
}

/// Of several loaders, the word of its file's name by which one differs from all others.
fn file_words(scope: &Scope<'_>) -> HashMap<ItemIndex, String> {
    let mut files: Vec<(ItemIndex, Vec<String>)> = Vec::new();
    for (index, item) in scope.items.iter().enumerate().filter(|(_, item)| is_loader(item)) {
        let text = item.inputs.iter().find_map(|input| match input.value {
            Value::Given(InputValue::Json(Json::String(text))) => Some(text),
            Value::Bound(binding) => match scope.bindings[binding].default {
                Some(InputValue::Json(Json::String(text))) => Some(text),
                _ => None,
            },
            _ => None,
        });
        let Some(text) = text else { continue };
        let stem = text.rsplit(['/', '\\']).next().unwrap_or(text);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        files.push((index, words::words(stem).map(unversioned).collect()));
    }
    let mut count: HashMap<&str, usize> = HashMap::new();
    for (_, words) in &files {
        for word in words.iter().map(String::as_str).collect::<BTreeSet<_>>() {
            *count.entry(word).or_default() += 1;
        }
    }
    let tells = |word: &&String| {
        count[word.as_str()] == 1
            && (3..=16).contains(&word.len())
            && word.bytes().all(|at| at.is_ascii_alphabetic())
    };
    let words = files.iter().filter_map(|(item, words)| Some((*item, words.iter().find(tells)?.clone())));
    words.collect()
}

/// `vision` for `visionv30`.
fn unversioned(word: String) -> String {
    let stem = word.trim_end_matches(|last: char| last.is_ascii_digit());
    let version = stem.len() < word.len();
    stem.strip_suffix('v').filter(|_| version).unwrap_or(stem).to_owned()
}

/// By type: how many loaders give one that is read.
fn loaded(scope: &Scope<'_>, flows: &[Flow<'_>], shape: &Shape<'_>) -> HashMap<String, usize> {
    let mut loaded: HashMap<String, usize> = HashMap::new();
    for (index, item) in scope.items.iter().enumerate().filter(|(_, item)| is_loader(item)) {
        let slots: BTreeSet<u32> = shape.uses[index].iter().map(|used| used.slot).collect();
        for slot in slots {
            *loaded.entry(output_type(item, flows, slot).to_owned()).or_default() += 1;
        }
    }
    loaded
}

/// By item: whether a sampler is behind what it gives, by way of pictures and latents only.
fn sampled(scope: &Scope<'_>, flows: &[Flow<'_>], shape: &Shape<'_>) -> Vec<bool> {
    let mut sampled = vec![false; scope.items.len()];
    for &item in &shape.order {
        let of = &scope.items[item];
        let class = of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
        let mut pictures = of.links().filter(|&(source, slot)| {
            matches!(output_type(&scope.items[source], flows, slot), "LATENT" | "IMAGE")
        });
        sampled[item] = roles::samples(&class) || pictures.any(|(source, _)| sampled[source]);
    }
    sampled
}

struct Namer<'s, 'a> {
    scope: &'s Scope<'a>,
    flows: &'s [Flow<'a>],
    shape: &'s Shape<'s>,
    polarity: HashMap<(ItemIndex, u32), Polarity>,
    files: HashMap<ItemIndex, String>,
    /// By type: how many loaders give one that is read.
    loaded: HashMap<String, usize>,
    /// What models and the like are called before anything is added to them.
    stems: HashMap<(ItemIndex, u32), String>,
    /// By item: whether a sampler stands somewhere before it or is it, over pictures and latents.
    sampled: Vec<bool>,
    /// Names that were given, with the type that had each first.
    given: HashMap<String, String>,
}

/// What an item makes its result of.
enum Source {
    Result(ItemIndex, u32),
    Bound(usize),
}

impl Namer<'_, '_> {
    /// The name for all results of an item together.
    fn whole(&self, item: ItemIndex) -> String {
        let of = &self.scope.items[item];
        let title = words::title_words(of.title(), of.decl()).and_then(|words| words::join(&words));
        let called = || match of.what {
            What::Node { decl, .. } => words::join(&words::class_words(&decl.name)),
            What::Flow { flow, .. } => words::identifier(&self.flows[flow].name),
        };
        title.or_else(called).unwrap_or_else(|| "results".to_owned())
    }

    /// The name that a result would best have.
    fn wish(&mut self, item: ItemIndex, slot: u32, slots: usize, names: &Names<'_>) -> String {
        let of = &self.scope.items[item];
        let ty = output_type(of, self.flows, slot).to_owned();
        if let Some(title) = self.by_title(of, slot, slots, &ty) {
            self.stems.insert((item, slot), title.clone());
            return title;
        }
        let returned = self.shape.uses[item].iter().find(|used| used.slot == slot && used.reader.is_none());
        let noun = roles::noun(&ty);
        if let Some(name) = returned.map(|used| used.input)
            && !words::says_nothing(name)
            && noun.as_deref() != Some(name)
            && !names.is_taken(name)
        {
            return name.to_owned();
        }
        if let What::Flow { flow, .. } = of.what {
            return self.flows[flow].outputs[slot as usize].name.clone();
        }
        match ty.as_str() {
            "MODEL" | "CLIP" | "VAE" | "CONDITIONING" => self.chained(item, slot, &ty, names),
            "IMAGE" | "LATENT" | "MASK" | "VIDEO" | "AUDIO" => self.pictured(item, slot, &ty, names),
            ty if roles::is_scalar(ty) || ty.is_empty() || ty == "*" => self.said(item, slot, ty),
            ty => self.typed(item, slot, ty, names),
        }
    }

    /// By the title that somebody gave it: alone, or before the word for the type.
    fn by_title(&self, of: &Item<'_>, slot: u32, slots: usize, ty: &str) -> Option<String> {
        let title = words::title_words(of.title(), of.decl())?;
        let class = of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
        let noun = if ty == "LATENT" && roles::samples(&class) {
            Some("samples".to_owned())
        } else {
            roles::noun(ty)
        };
        // `H3 latent decode` gives no latent.
        if title.last().is_some_and(|last| roles::is_other_noun(last, noun.as_deref())) {
            return None;
        }
        let has = |word: &str| title.iter().any(|of| of == word);
        if ty == "CONDITIONING" || ty == "STRING" {
            for word in ["positive", "negative"] {
                if has(word) && title.len() <= 3 {
                    let prompt = if ty == "STRING" { "_prompt" } else { "" };
                    return Some(format!("{word}{prompt}"));
                }
            }
        }
        let model = matches!(ty, "MODEL" | "CLIP" | "VAE");
        let alone = match &noun {
            None => true,
            Some(noun) if slots > 1 => {
                let name = self.declared_name(of, slot).unwrap_or_else(|| noun.clone());
                return words::join(&[title.join("_"), name]);
            }
            Some(noun) => roles::is_scalar(ty) || has(noun) || title.len() > 1 && !model,
        };
        let mut title = title;
        title.extend(noun.filter(|_| !alone));
        words::join(&title)
    }

    /// The name of the output, where it says more than its type.
    fn declared_name(&self, of: &Item<'_>, slot: u32) -> Option<String> {
        let decl = of.decl()?;
        let OutputDecl { name, ty, .. } = decl.outputs.get(slot as usize)?;
        let name = words::identifier(name)?;
        let type_name = ty.to_string().to_ascii_lowercase();
        let says = !words::says_nothing(&name) && name.replace('_', "") != type_name;
        says.then_some(name)
    }

    /// Models and conditionings: the word for what it is, then what was added.
    fn chained(&mut self, item: ItemIndex, slot: u32, ty: &str, names: &Names<'_>) -> String {
        let of = &self.scope.items[item];
        let class = of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
        let from = self.source(of, ty);
        let stem = match &from {
            Some(Source::Result(source, slot)) => self.stems.get(&(*source, *slot)).cloned(),
            Some(Source::Bound(binding)) => Some(self.scope.bindings[*binding].name.clone()),
            None => None,
        };
        let served = self.polarity.get(&(item, slot)).copied().unwrap_or_default();
        let stem = match (stem, served.word()) {
            (_, Some(word)) if ty == "CONDITIONING" => word.to_owned(),
            (Some(stem), _) => stem,
            (None, _) => {
                let noun = roles::noun(ty).unwrap_or_default();
                self.purpose(item, slot, &noun).unwrap_or(noun)
            }
        };
        let stem = match self.files.get(&item) {
            Some(word) if names.is_taken(&stem) || self.has_rival(ty) => format!("{stem}_{word}"),
            _ => stem,
        };
        self.stems.insert((item, slot), stem.clone());
        if from.is_none() || !names.is_taken(&stem) {
            return stem;
        }
        let alone = of.decl().is_some_and(|decl| decl.outputs.len() == 1);
        let addition = roles::addition(&class, ty).map(str::to_owned);
        let addition = addition.or_else(|| if alone { roles::any_addition(&class) } else { None });
        addition.map_or(stem.clone(), |addition| format!("{stem}_{addition}"))
    }

    /// The first thing of a type that an item is given.
    fn source(&self, of: &Item<'_>, ty: &str) -> Option<Source> {
        of.inputs.iter().find_map(|input| match input.value {
            Value::Output(source, slot) => (output_type(&self.scope.items[source], self.flows, slot) == ty)
                .then_some(Source::Result(source, slot)),
            Value::Bound(binding) if self.scope.bindings[binding].link => {
                let wanted = of.decl().and_then(|decl| super::types::declared(decl, &input.name));
                let same = self.scope.bindings[binding].comfy == Some(ty)
                    || matches!(wanted, Some(Type::Data { comfy, .. }) if comfy == ty);
                same.then_some(Source::Bound(binding))
            }
            _ => None,
        })
    }

    /// Whether another loader gives the same type.
    fn has_rival(&self, ty: &str) -> bool {
        self.loaded.get(ty).is_some_and(|&loaders| loaders > 1)
    }

    /// Pictures and the like: by what was done to them or what they are for.
    fn pictured(&self, item: ItemIndex, slot: u32, ty: &str, names: &Names<'_>) -> String {
        let of = &self.scope.items[item];
        let class = of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
        let noun = roles::noun(ty).unwrap_or_default();
        if ty == "LATENT" && roles::samples(&class) {
            return if self.is_second_pass(of) { "refined" } else { "samples" }.to_owned();
        }
        if let Some(name) = self.declared_name(of, slot)
            && of.decl().is_some_and(|decl| decl.outputs.len() > 1)
            && !matches!(name.as_str(), "image" | "images")
        {
            return name;
        }
        let changes =
            of.links().any(|(source, slot)| output_type(&self.scope.items[source], self.flows, slot) == ty);
        let what = if changes { roles::deed(&class).or_else(|| roles::finding(&class)) } else { None };
        match what {
            Some("batch") => format!("{noun}s"),
            Some(word) if ty == "MASK" => format!("{word}_{noun}"),
            Some(word) => match self.given.get(word) {
                Some(other) if other != ty => format!("{word}_{noun}"),
                None if names.is_taken(word) => format!("{word}_{noun}"),
                _ => word.to_owned(),
            },
            None => self.purpose(item, slot, &noun).unwrap_or(noun),
        }
    }

    /// Whether a sampler goes over what another sampler made, in part.
    fn is_second_pass(&self, of: &Item<'_>) -> bool {
        let partly = of.inputs.iter().any(|input| {
            let value = match input.value {
                Value::Given(value) => Some(value),
                Value::Bound(binding) => self.scope.bindings[binding].default,
                Value::Output(..) => None,
            };
            let number = match value {
                Some(InputValue::Json(Json::Float(number))) => *number,
                Some(InputValue::Json(Json::Int(number))) => *number as f64,
                _ => return false,
            };
            input.name == "denoise" && number < 1.0
        });
        partly && of.links().any(|(source, _)| self.sampled[source])
    }

    /// The input that it is for, where that says more than the noun: `start_image`.
    fn purpose(&self, item: ItemIndex, slot: u32, noun: &str) -> Option<String> {
        let input = self.only_reader(item, slot)?;
        let says =
            input.contains(noun) && input != noun && input != format!("{noun}s") && input != "latent_image";
        says.then_some(input)
    }

    /// What all readers call it.
    fn only_reader(&self, item: ItemIndex, slot: u32) -> Option<String> {
        let mut inputs = self.shape.uses[item].iter().filter(|used| used.slot == slot).map(|used| used.input);
        let first = inputs.next()?;
        if inputs.any(|input| input != first) {
            return None;
        }
        words::unnumbered(&words::identifier(first.rsplit('.').next().unwrap_or(first))?)
    }

    /// Numbers, texts and what nobody knows: what its readers call it, what its node calls it, what its node is.
    fn said(&self, item: ItemIndex, slot: u32, ty: &str) -> String {
        let of = &self.scope.items[item];
        let serves = self.polarity.get(&(item, slot)).and_then(|served| served.word());
        if ty == "STRING"
            && let Some(word) = serves
        {
            return if word == "negative" { "negative_prompt".to_owned() } else { "prompt".to_owned() };
        }
        let telling = |name: &String| {
            !words::says_nothing(name) && name != "text" && !FUNCTIONS.contains(&name.as_str())
        };
        let declared = || self.declared_name(of, slot).filter(telling);
        let reader = || self.only_reader(item, slot).filter(telling);
        let class = || {
            let words = of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name));
            let words: Vec<String> = words
                .into_iter()
                .filter(|word| !matches!(word.as_str(), "primitive" | "comfy" | "node"))
                .collect();
            words::join(&words)
        };
        let several = of.decl().is_some_and(|decl| decl.outputs.len() > 1);
        let named = if several { declared().or_else(reader) } else { reader().or_else(declared) };
        named.or_else(class).or_else(|| roles::noun(ty)).unwrap_or_else(|| "value".to_owned())
    }

    /// Every other type: its own name, or what it is for.
    fn typed(&self, item: ItemIndex, slot: u32, ty: &str, names: &Names<'_>) -> String {
        let of = &self.scope.items[item];
        // Of something that may be a picture or a mask, what was done to it says more.
        let done = || roles::deed(&of.decl().map_or_else(Vec::new, |decl| words::class_words(&decl.name)));
        let noun =
            roles::noun(ty).or_else(|| done().map(str::to_owned)).unwrap_or_else(|| "value".to_owned());
        let purpose = self.purpose(item, slot, &noun);
        let file = self.files.get(&item).filter(|_| self.has_rival(ty));
        let exact = self.shape.uses[item].iter().find(|used| used.slot == slot).map(|used| used.input);
        let numbered = |name: &&str| {
            let number = name.strip_prefix(&noun).map(|rest| rest.trim_start_matches('_'));
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|at| at.is_ascii_digit()))
        };
        if let Some(exact) = exact.filter(numbered).filter(|name| !names.is_taken(name)) {
            return exact.to_owned();
        }
        match (purpose, file) {
            (Some(purpose), _) => purpose,
            (None, Some(word)) => format!("{noun}_{word}"),
            (None, None) if names.is_taken(&noun) => self.declared_name(of, slot).unwrap_or(noun),
            _ => noun,
        }
    }
}
