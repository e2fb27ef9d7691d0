use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::arch::TextOptions;
use floe_nets::text::{CHUNK, END, Tokenizer, has_weights};

use super::{Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, dim, unable};
use crate::facts::{Conditioning, Fact};

pub(super) const ALL: &[Semantics] = &[Semantics::pure("CLIPTextEncode", clip_text_encode)];

fn clip_text_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let unknown = Conditioning { tokens: None, channels: None, encoder: None };
    let Some(file) = call.network("clip", Part::Clip)? else {
        return Ok(Work::gives([Fact::Conditioning(unknown)]).lacking(Gap::Unknown));
    };
    if let Some(gap) = unable("clip", file) {
        let conditioning = Conditioning { encoder: Some(file.clone()), ..unknown };
        return Ok(Work::gives([Fact::Conditioning(conditioning)]).lacking(gap));
    }
    let channels = dim("clip", file, Part::Clip, "embeddings.token_embedding.weight", 1)?;
    let input = "text";
    let Some(text) = call.string(input) else {
        let conditioning = Conditioning { channels: Some(channels), encoder: Some(file.clone()), ..unknown };
        return Ok(Work::gives([Fact::Conditioning(conditioning)]).lacking(Gap::Unknown));
    };
    let chunks = Tokenizer::clip()
        .encode_prompt(text, END)
        .map_err(|error| SemanticError::Prompt { input, reason: error.to_string() })?;
    // Weighted tokens move away from what the empty prompt gives, which is one more row.
    let rows = chunks.len() + usize::from(has_weights(&chunks));
    let conditioning = Conditioning {
        tokens: Some(chunks.len() * CHUNK),
        channels: Some(channels),
        encoder: Some(file.clone()),
    };
    Ok(Work {
        outputs: vec![Fact::Conditioning(conditioning)],
        scratch: vec![
            Scratch { name: "hidden", shape: vec![Some(rows), Some(CHUNK), Some(channels)] },
            Scratch { name: "pooled", shape: vec![Some(rows), Some(channels)] },
        ],
        programs: vec![ProgramUse {
            spec: ProgramSpec::ClipText { rows, options: TextOptions::default() },
            file: file.clone(),
            executions: 1,
        }],
        gap: None,
    })
}
