//! Ids of nodes in exported workflows: those that annotations give, else names.

use std::collections::HashMap;

use crate::flat::{Call, Flat, Mode};

/// The id of every call that is exported, by its place.
pub(super) fn ids(flat: &Flat) -> Vec<Option<String>> {
    // An object with the key `prompt` is taken for one that holds a prompt.
    let mut taken: HashMap<String, u32> = HashMap::from([("prompt".to_owned(), 1)]);
    let mut ids = vec![None; flat.calls.len()];
    // Given ids come first: a name that happens to look like one gives way.
    for given in [true, false] {
        for (call, id) in flat.calls.iter().zip(&mut ids) {
            if is_exported(call) && is_given(flat, call) == given {
                *id = Some(unique(&mut taken, wanted(flat, call)));
            }
        }
    }
    ids
}

/// Whether a call is part of the program that runs.
pub(super) fn is_exported(call: &Call) -> bool {
    call.mode == Mode::On && !call.shadow
}

fn is_given(flat: &Flat, call: &Call) -> bool {
    call.marks.id.is_some() && flat.path(call.instance).iter().all(|instance| instance.marks.id.is_some())
}

/// `instance:inner`, each part by its annotation or its name.
fn wanted(flat: &Flat, call: &Call) -> String {
    let own = call.marks.id.as_deref().unwrap_or(&call.name);
    if call.instance.is_none() {
        return own.to_owned();
    }
    let path = flat.path(call.instance);
    let around = path.iter().map(|instance| instance.marks.id.as_deref().unwrap_or(&instance.name));
    around.chain([own]).collect::<Vec<_>>().join(":")
}

fn unique(taken: &mut HashMap<String, u32>, wanted: String) -> String {
    let mut id = wanted.clone();
    loop {
        let count = taken.entry(id.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return id;
        }
        id = format!("{wanted}#{count}");
    }
}
