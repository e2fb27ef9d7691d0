//! Whether two prompts of ComfyUI's server mean the same: the rules of `corpus/compare_api.py` with `--iso`,
//! `--missing-default`, and for classes that the reference did not know `--partial`.
//!
//! Ids of nodes are names and may differ, an absent input equals its declared default, numbers are compared as doubles,
//! `{"__value__": x}` is `x`.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// How often a guess between nodes that look alike may be wrong.
const BUDGET: usize = 4000;

/// A prompt: nodes by their ids.
#[derive(Debug, Clone)]
pub struct Prompt {
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Clone)]
struct Node {
    class: String,
    inputs: BTreeMap<String, Input>,
}

#[derive(Debug, Clone, PartialEq)]
enum Input {
    Link(String, i64),
    Value(Literal),
}

/// A value in the one form in which equal values are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Literal {
    Null,
    Bool(bool),
    /// The bits of a double, without a sign of zero.
    Number(u64),
    String(String),
    List(Vec<Literal>),
    Object(BTreeMap<String, Literal>),
}

impl Literal {
    fn of(value: &Value) -> Literal {
        match unwrapped(value) {
            Value::Null => Literal::Null,
            Value::Bool(value) => Literal::Bool(*value),
            Value::Number(number) => Literal::Number((number.as_f64().unwrap_or(f64::NAN) + 0.0).to_bits()),
            Value::String(text) => Literal::String(text.clone()),
            Value::Array(items) => Literal::List(items.iter().map(Literal::of).collect()),
            Value::Object(map) => {
                Literal::Object(map.iter().map(|(key, value)| (key.clone(), Literal::of(value))).collect())
            }
        }
    }
}

/// What `{"__value__": x}` stands for.
fn unwrapped(value: &Value) -> &Value {
    let inner = value.as_object().filter(|map| map.keys().all(|key| key == "__value__" || key == "__type__"));
    inner.and_then(|map| map.get("__value__")).unwrap_or(value)
}

impl Input {
    fn of(value: &Value) -> Input {
        let link = || {
            let [id, slot] = value.as_array()?.as_slice() else { return None };
            let id = match id {
                Value::String(id) => id.clone(),
                Value::Number(id) => id.to_string(),
                _ => return None,
            };
            let slot = slot.as_f64().filter(|slot| slot.fract() == 0.0)?;
            Some(Input::Link(id, slot as i64))
        };
        link().unwrap_or_else(|| Input::Value(Literal::of(value)))
    }
}

impl Prompt {
    /// A prompt, alone or under `prompt`.
    ///
    /// # Errors
    /// If it is no object of objects.
    pub fn new(value: &Value) -> Result<Prompt, String> {
        let inner =
            value.get("prompt").filter(|inner| inner.is_object() && value.get("class_type").is_none());
        let nodes = inner.unwrap_or(value).as_object().ok_or("no object")?;
        let node = |(id, node): (&String, &Value)| {
            let node = node.as_object().ok_or_else(|| format!("node {id} is no object"))?;
            let class = node.get("class_type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let inputs = node.get("inputs").and_then(Value::as_object).into_iter().flatten();
            let inputs = inputs.map(|(name, value)| (name.clone(), Input::of(value))).collect();
            Ok((id.clone(), Node { class, inputs }))
        };
        Ok(Prompt { nodes: nodes.iter().map(node).collect::<Result<_, String>>()? })
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Its classes.
    pub fn classes(&self) -> BTreeSet<&str> {
        self.nodes.values().map(|node| node.class.as_str()).collect()
    }

    /// Gives absent inputs their declared defaults.
    pub fn fill(&mut self, schema: &Schema) {
        for node in self.nodes.values_mut() {
            for (name, default) in schema.defaults(&node.class) {
                node.inputs.entry(name).or_insert(Input::Value(default));
            }
        }
    }

    /// Whether it has nodes whose class nobody knew.
    pub fn has_unknown(&self) -> bool {
        self.nodes.values().any(|node| node.class.is_empty())
    }

    /// Of nodes whose class nobody knew, only the links are comparable: so it is with the others of undeclared classes.
    pub fn forget_unknown(&mut self, schema: &Schema) {
        for node in self.nodes.values_mut().filter(|node| !schema.knows(&node.class)) {
            node.class.clear();
            node.inputs.retain(|_, input| matches!(input, Input::Link(..)));
        }
    }

    /// Leaves an input of a class out of all comparisons.
    pub fn forget(&mut self, class: &str, input: &str) {
        for node in self.nodes.values_mut().filter(|node| node.class == class) {
            node.inputs.remove(input);
        }
    }

    fn links<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = (&'a str, &'a str, i64)> {
        node.inputs.iter().filter_map(|(name, input)| match input {
            Input::Link(id, slot) if self.nodes.contains_key(id) => Some((name.as_str(), id.as_str(), *slot)),
            _ => None,
        })
    }
}

/// Declared defaults: an `/object_info` document.
#[derive(Debug)]
pub struct Schema {
    info: Value,
}

impl Schema {
    /// The interfaces of ComfyUI's own classes.
    ///
    /// # Panics
    /// If the reference data is not there.
    pub fn shared() -> Schema {
        Schema { info: crate::json("nodes/object_info.json") }
    }

    /// Whether a class is declared.
    pub fn knows(&self, class: &str) -> bool {
        self.info.get(class).is_some()
    }

    fn defaults<'a>(&'a self, class: &str) -> impl Iterator<Item = (String, Literal)> + use<'a> {
        let inputs = self.info.get(class).and_then(|class| class.get("input"));
        let sections = ["required", "optional"];
        let inputs =
            sections.into_iter().filter_map(move |section| inputs?.get(section)?.as_object()).flatten();
        inputs.filter_map(|(name, spec)| Some((name.clone(), Literal::of(default(spec)?))))
    }
}

/// The default of an input: what it says, else the first of its choices.
fn default(spec: &Value) -> Option<&Value> {
    let options = spec.get(1).unwrap_or(&Value::Null);
    let listed = spec.get(0).and_then(Value::as_array).and_then(|choices| choices.first());
    let first =
        options.get("options").and_then(|choices| choices.get(0)).filter(|choice| !choice.is_object());
    options.get("default").or(listed).or(first)
}

/// How two prompts differ when ids count: nothing where they mean the same.
pub fn differences_by_id(expected: &Prompt, actual: &Prompt) -> Vec<String> {
    let map = expected.nodes.keys().map(|id| (id.as_str(), id.as_str())).collect();
    differences_by(expected, actual, &map)
}

/// How two prompts differ whatever their nodes are called: nothing where they mean the same.
pub fn differences(expected: &Prompt, actual: &Prompt) -> Vec<String> {
    let found = differences_by_id(expected, actual);
    if found.is_empty() || isomorphism(expected, actual, &mut BUDGET.clone()).is_some() {
        return Vec::new();
    }
    // For a report that can be read: nodes of one class, most alike first.
    differences_by(expected, actual, &resemblance(expected, actual))
}

type Map<'a> = BTreeMap<&'a str, &'a str>;

fn differences_by(expected: &Prompt, actual: &Prompt, map: &Map<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (id, node) in &expected.nodes {
        match map.get(id.as_str()).and_then(|id| actual.nodes.get(*id)) {
            None => found.push(format!("node {id} ({}) is missing", node.class)),
            Some(other) => found.extend(node_differences(id, node, other, map)),
        }
    }
    let mapped: BTreeSet<&str> = map.values().copied().collect();
    let more = actual.nodes.iter().filter(|(id, _)| !mapped.contains(id.as_str()));
    found.extend(more.map(|(id, node)| format!("node {id} ({}) is unexpected", node.class)));
    found
}

fn node_differences(id: &str, expected: &Node, actual: &Node, map: &Map<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if expected.class != actual.class {
        found.push(format!("node {id}: class {} instead of {}", actual.class, expected.class));
    }
    let names: BTreeSet<&String> = expected.inputs.keys().chain(actual.inputs.keys()).collect();
    for name in names {
        let wanted = expected.inputs.get(name).map(|input| match input {
            Input::Link(id, slot) => {
                let id = map.get(id.as_str()).map_or(id.clone(), |id| (*id).to_owned());
                Input::Link(id, *slot)
            }
            value => value.clone(),
        });
        let got = actual.inputs.get(name);
        if wanted.as_ref() != got {
            let class = &expected.class;
            found.push(format!(
                "node {id} ({class}) .{name}: expected {}, got {}",
                show(wanted.as_ref()),
                show(got)
            ));
        }
    }
    found
}

fn show(input: Option<&Input>) -> String {
    let text = match input {
        None => return "nothing".to_owned(),
        Some(Input::Link(id, slot)) => format!("link {id}.{slot}"),
        Some(Input::Value(Literal::Number(bits))) => f64::from_bits(*bits).to_string(),
        Some(Input::Value(value)) => format!("{value:?}"),
    };
    text.chars().take(120).collect()
}

type Colours<'a> = BTreeMap<&'a str, u64>;

/// A hash of anything, the same in every run.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What nodes are by themselves.
fn base(prompt: &Prompt) -> Colours<'_> {
    let colour = |node: &Node| {
        let inputs: Vec<(&str, Option<&Literal>, i64)> = node
            .inputs
            .iter()
            .map(|(name, input)| match input {
                Input::Value(value) => (name.as_str(), Some(value), 0),
                Input::Link(id, slot) => {
                    (name.as_str(), None, slot * 2 + i64::from(prompt.nodes.contains_key(id)))
                }
            })
            .collect();
        hash((&node.class, inputs))
    };
    prompt.nodes.iter().map(|(id, node)| (id.as_str(), colour(node))).collect()
}

/// What nodes are by what is around them, as far as that tells them apart.
fn refine<'a>(prompt: &'a Prompt, mut colours: Colours<'a>) -> Colours<'a> {
    let mut down: BTreeMap<&str, Vec<(&str, i64, &str)>> = BTreeMap::new();
    for (id, node) in &prompt.nodes {
        for (name, from, slot) in prompt.links(node) {
            down.entry(from).or_default().push((name, slot, id));
        }
    }
    let distinct = |colours: &Colours<'_>| colours.values().collect::<BTreeSet<_>>().len();
    loop {
        let before = distinct(&colours);
        let next = prompt.nodes.iter().map(|(id, node)| {
            let up: Vec<_> =
                prompt.links(node).map(|(name, from, slot)| (name, slot, colours[from])).collect();
            let below = down.get(id.as_str()).into_iter().flatten();
            let mut below: Vec<_> = below.map(|(name, slot, to)| (*name, *slot, colours[to])).collect();
            below.sort_unstable();
            (id.as_str(), hash((colours[id.as_str()], up, below)))
        });
        colours = next.collect();
        if distinct(&colours) == before {
            return colours;
        }
    }
}

/// Which node of one prompt is which of the other.
fn isomorphism<'a>(expected: &'a Prompt, actual: &'a Prompt, budget: &mut usize) -> Option<Map<'a>> {
    if expected.len() != actual.len() {
        return None;
    }
    search(expected, actual, base(expected), base(actual), budget)
}

fn search<'a>(
    expected: &'a Prompt,
    actual: &'a Prompt,
    left: Colours<'a>,
    right: Colours<'a>,
    budget: &mut usize,
) -> Option<Map<'a>> {
    *budget = budget.checked_sub(1)?;
    // The same number of rounds on both sides: colours count rounds.
    let (left, right) = (refine(expected, left), refine(actual, right));
    let (left_classes, right_classes) = (classes(&left), classes(&right));
    let sizes = |classes: &BTreeMap<u64, Vec<&str>>| -> Vec<(u64, usize)> {
        classes.iter().map(|(colour, ids)| (*colour, ids.len())).collect()
    };
    if sizes(&left_classes) != sizes(&right_classes) {
        return None;
    }
    let ambiguous = left_classes.iter().filter(|(_, ids)| ids.len() > 1).min_by_key(|(_, ids)| ids.len());
    let Some((colour, ids)) = ambiguous else {
        let map = left_classes.iter().map(|(colour, ids)| (ids[0], right_classes[colour][0])).collect();
        return differences_by(expected, actual, &map).is_empty().then_some(map);
    };
    let guess = |mut colours: Colours<'a>, id: &'a str| {
        colours.insert(id, hash((colour, "guess")));
        colours
    };
    right_classes[colour].iter().find_map(|other| {
        search(expected, actual, guess(left.clone(), ids[0]), guess(right.clone(), other), budget)
    })
}

fn classes<'a>(colours: &Colours<'a>) -> BTreeMap<u64, Vec<&'a str>> {
    let mut classes: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (id, colour) in colours {
        classes.entry(*colour).or_default().push(id);
    }
    classes
}

/// Pairs of nodes of one class, those with the fewest differences first.
fn resemblance<'a>(expected: &'a Prompt, actual: &'a Prompt) -> Map<'a> {
    let mut pairs = Vec::new();
    let none = Map::new();
    for (id, node) in &expected.nodes {
        let same = actual.nodes.iter().filter(|(_, other)| other.class == node.class);
        pairs.extend(same.map(|(other_id, other)| {
            (node_differences(id, node, other, &none).len(), id != other_id, id.as_str(), other_id.as_str())
        }));
    }
    pairs.sort_unstable();
    let (mut map, mut used) = (Map::new(), BTreeSet::new());
    for (_, _, id, other) in pairs {
        if !map.contains_key(id) && used.insert(other) {
            map.insert(id, other);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prompt(value: Value) -> Prompt {
        Prompt::new(&value).expect("a prompt")
    }

    fn twins() -> Value {
        json!({
            "1": { "class_type": "L", "inputs": { "x": 1.0 } },
            "2": { "class_type": "T", "inputs": { "t": "a", "c": ["1", 0] } },
            "3": { "class_type": "T", "inputs": { "t": "a", "c": ["1", 0] } },
            "4": { "class_type": "S", "inputs": { "p": ["2", 0], "n": ["3", 0], "s": 18446744073709552000.0 } },
        })
    }

    fn renamed() -> Value {
        json!({
            "9:1": { "class_type": "L", "inputs": { "x": 1 } },
            "7": { "class_type": "T", "inputs": { "t": "a", "c": ["9:1", 0] } },
            "8": { "class_type": "T", "inputs": { "t": "a", "c": ["9:1", 0] } },
            "5": { "class_type": "S", "inputs": { "p": ["8", 0], "n": ["7", 0], "s": 18446744073709551615u64 } },
        })
    }

    #[test]
    fn ids_do_not_count_unless_asked_for() {
        assert!(differences(&prompt(twins()), &prompt(renamed())).is_empty());
        assert!(!differences_by_id(&prompt(twins()), &prompt(renamed())).is_empty());
        assert!(differences_by_id(&prompt(twins()), &prompt(twins())).is_empty());
    }

    #[test]
    fn wiring_and_values_count() {
        let mut wired = renamed();
        wired["5"]["inputs"]["n"] = json!(["8", 0]);
        assert!(!differences(&prompt(twins()), &prompt(wired)).is_empty());
        let mut valued = renamed();
        valued["7"]["inputs"]["t"] = json!("b");
        let found = differences(&prompt(twins()), &prompt(valued));
        assert!(
            found.iter().any(|line| line.contains(".t: expected String(\"a\"), got String(\"b\")")),
            "{found:?}"
        );
        let mut more = twins();
        more["6"] = json!({ "class_type": "L", "inputs": {} });
        assert!(!differences(&prompt(twins()), &prompt(more)).is_empty());
    }

    #[test]
    fn spellings_of_one_value() {
        let one = |value: Value| prompt(json!({ "1": { "class_type": "L", "inputs": { "x": value } } }));
        let same = |a: Value, b: Value| differences(&one(a), &one(b)).is_empty();
        assert!(same(json!({ "__value__": [1, 2] }), json!({ "__value__": [1, 2.0] })));
        assert!(same(json!(["1", 0]), json!([1, 0])));
        assert!(!same(json!(true), json!(1)));
        assert!(!same(json!("a\r\n"), json!("a\n")));
        assert!(!same(json!(null), json!("")));
    }

    #[test]
    fn an_absent_input_is_its_default() {
        let schema = Schema {
            info: json!({ "L": { "input": {
                "required": { "a": ["INT", { "default": 4 }], "b": [["x", "y"]], "c": ["IMAGE"] },
                "optional": { "d": ["COMBO", { "options": ["u", "v"] }] },
            } } }),
        };
        let mut short = prompt(json!({ "1": { "class_type": "L", "inputs": { "a": 4 } } }));
        let long = prompt(json!({ "1": { "class_type": "L", "inputs": { "a": 4, "b": "x", "d": "u" } } }));
        assert!(!differences(&long, &short).is_empty());
        short.fill(&schema);
        assert!(differences(&long, &short).is_empty());
    }
}
