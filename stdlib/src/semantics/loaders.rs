use floe_formats::{Family, Kind, Role};

use super::{Call, Gap, Opened, SemanticError, Semantics, Work, looked_at};
use crate::facts::{Fact, FileError};
use crate::part::{Loaded, ModelFile, Part};

pub(super) const ALL: &[Semantics] = &[
    Semantics::loads("CheckpointLoaderSimple", CHECKPOINT, checkpoint_loader_simple),
    Semantics::loads("CLIPLoader", &[Part::Clip], clip_loader),
    Semantics::loads("DualCLIPLoader", &[Part::Clip], dual_clip_loader),
    Semantics::loads("UNETLoader", &[Part::Model], unet_loader),
    Semantics::loads("VAELoader", &[Part::Vae], vae_loader),
    Semantics::reads("LoadImage", load_image),
    Semantics::reads("LoadImageMask", load_image_mask),
];

/// Parts of a checkpoint, in the order of the loader's outputs.
const CHECKPOINT: &[Part] = &[Part::Model, Part::Clip, Part::Vae];

fn checkpoint_loader_simple(call: &Call<'_>) -> Result<Work, SemanticError> {
    let opened = call.model_file("ckpt_name", "checkpoints", "a checkpoint", has_unet)?;
    Ok(parts(call, "ckpt_name", "checkpoints", CHECKPOINT, opened))
}

fn has_unet(file: &ModelFile) -> bool {
    file.contents.component(Role::Unet).is_some()
}

fn unet_loader(call: &Call<'_>) -> Result<Work, SemanticError> {
    let opened = call.model_file("unet_name", "diffusion_models", "a diffusion model", has_unet)?;
    let work = parts(call, "unet_name", "diffusion_models", &[Part::Model], opened);
    let gap = match call.string("weight_dtype") {
        Some("default") => return Ok(work),
        Some(other) => Gap::NoKernel {
            input: Some("weight_dtype"),
            what: format!("the number format `{other}` for weights"),
            instead: "use `default`, which computes with the weights as they are stored".to_owned(),
        },
        None => Gap::Unknown,
    };
    Ok(work.lacking(gap))
}

/// The text encoder of Stable Diffusion 1, 2 or the refiner, whichever the file has.
fn clip_loader(call: &Call<'_>) -> Result<Work, SemanticError> {
    let opened = text_encoder(call, "clip_name")?;
    let work = parts(call, "clip_name", FOLDER, &[Part::Clip], opened);
    Ok(for_types(call, work, &["stable_diffusion"]))
}

/// CLIP L and G, in either order.
fn dual_clip_loader(call: &Call<'_>) -> Result<Work, SemanticError> {
    let first = text_encoder(call, "clip_name1")?;
    let second = text_encoder(call, "clip_name2")?;
    let (Opened::Seen(first), Opened::Seen(second)) = (&first, &second) else {
        let unseen =
            if matches!(first, Opened::Seen(_)) { ("clip_name2", second) } else { ("clip_name1", first) };
        return Ok(for_types(call, parts(call, unseen.0, FOLDER, &[Part::Clip], unseen.1), &["sdxl"]));
    };
    let mut loaded = Loaded::of(Part::Clip, first);
    let roles: Vec<Role> = loaded.networks.iter().map(|network| network.role).collect();
    let others = Loaded::of(Part::Clip, second).networks.into_iter();
    loaded.networks.extend(others.filter(|network| !roles.contains(&network.role)));
    loaded.networks.sort_by_key(|network| network.role);
    Ok(for_types(call, Work::gives([Fact::Part(loaded.into())]), &["sdxl"]))
}

const FOLDER: &str = "text_encoders";

fn text_encoder(call: &Call<'_>, input: &'static str) -> Result<Opened, SemanticError> {
    let roles = [Role::ClipL, Role::ClipH, Role::ClipG];
    call.model_file(input, FOLDER, "a text encoder", |file| {
        roles.iter().any(|&role| file.contents.component(role).is_some())
    })
}

/// The same call, which runs only for these kinds of models.
fn for_types(call: &Call<'_>, work: Work, types: &[&str]) -> Work {
    match call.string("type") {
        Some(known) if types.contains(&known) => work,
        Some(other) => work.lacking(Gap::NoKernel {
            input: Some("type"),
            what: format!("a text encoder of the type `{other}`"),
            instead: format!("use the type `{}`", types.join("`, `")),
        }),
        None => work.lacking(Gap::Unknown),
    }
}

/// An autoencoder of its own file, or a small one by its name: that is two files of the folder `vae_approx`.
fn vae_loader(call: &Call<'_>) -> Result<Work, SemanticError> {
    let family = match call.string("vae_name") {
        Some("taesd") => Family::Sd1,
        Some("taesdxl") => Family::Sdxl,
        Some(name @ ("taesd3" | "taef1" | "pixel_space")) => {
            let unseen = Fact::Unseen { part: Part::Vae, folder: "vae".into(), file: name.to_owned() };
            return Ok(Work::gives([unseen]).lacking(Gap::NoKernel {
                input: Some("vae_name"),
                what: format!("the autoencoder `{name}`"),
                instead: "use `taesd`, `taesdxl` or the file of a VAE".to_owned(),
            }));
        }
        _ => {
            let has_vae = |file: &ModelFile| file.contents.component(Role::Vae).is_some();
            let opened = call.model_file("vae_name", "vae", "a VAE", has_vae)?;
            return Ok(parts(call, "vae_name", "vae", &[Part::Vae], opened));
        }
    };
    small_vae(call, family)
}

/// Both halves of TAESD.
fn small_vae(call: &Call<'_>, family: Family) -> Result<Work, SemanticError> {
    let name = call.string("vae_name").unwrap_or_default();
    let mut halves = Vec::new();
    for half in ["encoder", "decoder"] {
        let file = format!("{name}_{half}.safetensors");
        let found = match call.world.model("vae_approx", &file) {
            Err(FileError::Missing { .. }) => call.world.model("vae_approx", &format!("{name}_{half}.pth")),
            found => found,
        };
        match looked_at("vae_name", found)? {
            Some(found) if found.contents.kind == Kind::Taesd => halves.push(Loaded::of(Part::Vae, &found)),
            Some(found) => {
                return Err(SemanticError::WrongKind {
                    input: "vae_name",
                    file: found.name.clone(),
                    what: found.what(),
                    wanted: "one half of a TAESD",
                });
            }
            None => {
                let unseen = Fact::Unseen { part: Part::Vae, folder: "vae_approx".into(), file };
                return Ok(Work::gives([unseen]).lacking(Gap::File));
            }
        }
    }
    let mut halves = halves.into_iter();
    let Some(mut loaded) = halves.next() else { return Ok(Work::default()) };
    loaded.networks.extend(halves.flat_map(|half| half.networks));
    loaded.latent_scale = Some(family.latent_scale());
    Ok(Work::gives([Fact::Part(loaded.into())]))
}

/// Parts of the file that an input names.
fn parts(
    call: &Call<'_>,
    input: &'static str,
    folder: &'static str,
    parts: &'static [Part],
    opened: Opened,
) -> Work {
    match opened {
        Opened::Seen(file) => Work::gives(
            parts.iter().map(|&part| Fact::Part(Loaded::of(part, &file).into())).collect::<Vec<_>>(),
        ),
        Opened::Unseen(gap) => {
            let name = call.string(input).unwrap_or_default();
            let unseen = |&part| Fact::Unseen { part, folder: folder.into(), file: name.to_owned() };
            Work::gives(parts.iter().map(unseen).collect::<Vec<_>>()).lacking(gap)
        }
    }
}

fn load_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "image";
    let size = call.string(input).map(|name| looked_at(input, call.world.picture(name))).transpose()?;
    let Some(size) = size.flatten() else {
        let (height, width) = (None, None);
        let image = Fact::Image { batch: Some(1), height, width, channels: Some(3) };
        return Ok(Work::gives([image, Fact::Mask { batch: Some(1), height, width }]).lacking(Gap::File));
    };
    let (height, width) = (size.height, size.width);
    // ComfyUI gives a mask of 64x64 zeros for a picture without transparency.
    let (mask_height, mask_width) = if size.alpha { (height, width) } else { (64, 64) };
    Ok(Work::gives([
        Fact::Image { batch: Some(1), height: Some(height), width: Some(width), channels: Some(3) },
        Fact::Mask { batch: Some(1), height: Some(mask_height), width: Some(mask_width) },
    ]))
}

/// A channel of a picture has its size. Unlike `LoadImage`, ComfyUI gives every picture an alpha channel here.
fn load_image_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "image";
    let size = call.string(input).map(|name| looked_at(input, call.world.picture(name))).transpose()?;
    let (height, width) = size.flatten().map(|size| (size.height, size.width)).unzip();
    let work = Work::gives([Fact::Mask { batch: Some(1), height, width }]);
    Ok(if height.is_some() { work } else { work.lacking(Gap::File) })
}
