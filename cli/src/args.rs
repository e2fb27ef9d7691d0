use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use floe_driver::{
    Binding, CivilTime, Device, Folders, Options, PassList, Pick, PictureSize, Precision, Source, Target,
    binding, parse_time, read_source,
};

use crate::messages::MessageFormat;
use crate::report::{Exit, unreadable};

/// Compiles generative-AI workflows and runs them.
#[derive(Debug, Parser)]
#[command(name = "floe", version, about, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure parts of the compiler on problems of your own
    Bench(BenchArgs),
    /// Check programs: names, types, ranges, files, models
    Check(CheckArgs),
    /// Explain an error by its code
    Explain(ExplainArgs),
    /// Write a program as a workflow of ComfyUI
    Export(ExportArgs),
    /// Give programs the one style
    Fmt(FmtArgs),
    /// Make a program of a ComfyUI workflow: JSON, or a picture that carries it
    Import(ImportArgs),
    /// List model files with what they are, or show what is in one
    Models(ModelsArgs),
    /// List nodes, or show one
    Nodes(NodesArgs),
    /// Show the plan of a program: what runs, in which order, where in memory
    Plan(PlanArgs),
    /// Run a program or a plan
    Run(RunArgs),
}

/// How programs are read.
#[derive(Debug, ClapArgs)]
pub(crate) struct SourceArgs {
    /// Refuse files, and texts inside of pictures, that are larger
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    max_size: ByteSize,
}

impl SourceArgs {
    /// Bytes above which files are refused.
    pub(crate) fn limit(&self) -> u64 {
        self.max_size.as_u64()
    }

    /// Reads a program of any form.
    pub(crate) fn read(&self, file: &Path) -> Result<Source, Exit> {
        read_source(file, self.limit()).map_err(unreadable)
    }
}

/// What a program is bound with.
#[derive(Debug, ClapArgs)]
pub(crate) struct BindArgs {
    /// Give a param a value; `random` draws one
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Which alternative of `dynamic("{a|b}")` to take
    #[arg(long, value_enum, default_value_t = PickArg::Random)]
    pick: PickArg,
    /// The time that `now(…)` writes, such as 2026-01-02T03:04:05Z; the current one unless it is given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    now: Option<CivilTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PickArg {
    First,
    Random,
}

impl BindArgs {
    fn params(&self) -> BTreeMap<String, String> {
        self.set.iter().cloned().collect()
    }

    fn binding(&self) -> Binding {
        let pick = match self.pick {
            PickArg::First => Pick::First,
            PickArg::Random => Pick::Random,
        };
        binding(pick, self.now)
    }

    /// Options of what depends on nothing else.
    pub(crate) fn options(&self) -> Options {
        let target = Target { device: Device::Cpu, memory: None, precision: Precision::F32 };
        Options {
            passes: PassList::all(),
            target,
            params: self.params(),
            binding: self.binding(),
            to_run: false,
        }
    }
}

/// Kinds of devices to plan for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TargetArg {
    /// The processor
    Cpu,
    /// A graphics processor with CUDA
    Cuda,
}

impl From<TargetArg> for Device {
    fn from(target: TargetArg) -> Device {
        match target {
            TargetArg::Cpu => Device::Cpu,
            TargetArg::Cuda => Device::Cuda,
        }
    }
}

/// What a compilation depends on.
#[derive(Debug, ClapArgs)]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    pub(crate) bind: BindArgs,
    /// Memory that the plan may take, such as 8GiB
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Passes to run: default, none, or names separated by commas
    #[arg(long, value_name = "LIST", default_value = "default")]
    passes: PassList,
}

impl CompileArgs {
    /// Options for a plan that is to be looked at, or run.
    pub(crate) fn options(&self, to_run: bool, device: Device) -> Options {
        let target =
            Target { device, memory: self.memory.map(|size| size.as_u64()), precision: Precision::F32 };
        Options { passes: self.passes.clone(), target, to_run, ..self.bind.options() }
    }
}

/// Where files lie.
#[derive(Debug, ClapArgs)]
pub(crate) struct FolderArgs {
    /// A folder of models, as in ComfyUI; searched before `models` here and beside the program
    #[arg(long, value_name = "DIR")]
    models: Vec<PathBuf>,
    /// A folder of pictures; searched before `input` here and beside the program
    #[arg(long, value_name = "DIR")]
    input: Vec<PathBuf>,
}

impl FolderArgs {
    pub(crate) fn folders(&self, program: &std::path::Path) -> Folders {
        let mut folders = Folders::of(program);
        folders.models.splice(0..0, self.models.iter().cloned());
        folders.input.splice(0..0, self.input.iter().cloned());
        folders
    }
}

/// How to do without files.
#[derive(Debug, ClapArgs)]
pub(crate) struct UnseenArgs {
    /// Look at no models and no pictures: what depends on them is unknown
    #[arg(long)]
    no_files: bool,
    /// The size of pictures where none are looked at, such as image=1024x768
    #[arg(long, value_name = "image=WxH", requires = "no_files", value_parser = assumed)]
    assume: Option<PictureSize>,
}

impl UnseenArgs {
    pub(crate) fn apply(&self, mut folders: Folders) -> Folders {
        (folders.unseen, folders.assumed) = (self.no_files, self.assume);
        folders
    }
}

/// `image=1024x768`.
fn assumed(text: &str) -> Result<PictureSize, String> {
    let size = text.strip_prefix("image=").and_then(|size| size.split_once('x'));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=MOST_PIXELS).contains(side));
    match size.and_then(|(width, height)| Some((side(width)?, side(height)?))) {
        Some((width, height)) => Ok(PictureSize { width, height, alpha: false }),
        None => Err(format!("write it as image=1024x768, sides from 1 to {MOST_PIXELS}")),
    }
}

/// Pixels of the longest side of a picture that can be assumed.
const MOST_PIXELS: usize = 1 << 16;

#[derive(Debug, ClapArgs)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) bench: Bench,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Place buffers in one block of memory, by when they live
    Offsets(OffsetsArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OffsetsArgs {
    /// A list of buffers: CSV with the columns id, lower, upper, size
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Bytes that must suffice; without it, as few as are found
    #[arg(long, value_name = "SIZE")]
    pub(crate) capacity: Option<ByteSize>,
    /// Offsets are multiples of this
    #[arg(long, value_name = "BYTES", default_value = "1", value_parser = alignment)]
    pub(crate) alignment: usize,
    /// Steps that the search may take: time does not limit it, so that results are the same everywhere
    #[arg(long, value_name = "STEPS", default_value_t = 400_000_000)]
    pub(crate) work: u64,
    /// Write the list with its offsets there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ModelsCommand>,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Show what is in a model file; its header is read, and none of its weights
    Inspect(InspectArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InspectArgs {
    /// The file, by its path or as folder/name below a folder of models
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// List all tensors
    #[arg(long)]
    pub(crate) tensors: bool,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// Programs: `.flow`, ComfyUI's `.json`, a `.png`, `.webp` or `.jpg` that carries one; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) bind: BindArgs,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
    #[command(flatten)]
    pub(crate) unseen: UnseenArgs,
    /// How messages are written: for people, or as data for editors and CI
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MessageFormat::Text)]
    pub(crate) format: MessageFormat,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// The code, such as check::unknown_node
    pub(crate) code: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct FmtArgs {
    /// Programs; `-` is standard input, whose result goes to standard output
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Change nothing: list the files that would change, and exit with 1 if there are any
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArgs {
    /// The workflow: JSON as ComfyUI saves or exports it, or a PNG, WebP or JPEG that carries it; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Write the program there instead of to standard output; a file that is there is kept
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace OUT if it is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Keep the ids of nodes, as `@id`, so that an export has them again
    #[arg(long)]
    pub(crate) ids: bool,
    /// Keep places and titles of nodes, as `@pos` and `@label`
    #[arg(long)]
    pub(crate) layout: bool,
    /// Make params of what people edit: prompts, seeds, sizes, input files
    #[arg(long)]
    pub(crate) params: bool,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// The program: `.flow`, ComfyUI's `.json`, a picture that carries one; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) bind: BindArgs,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
    /// Write it there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Formats of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The prompt that ComfyUI's server takes
    Api,
    /// The file that ComfyUI's editor opens
    Ui,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NodesArgs {
    /// A class name, or a part of names to search for
    pub(crate) name: Option<String>,
    /// Write the page of all nodes instead, with what each does and whether it runs
    #[arg(long, conflicts_with = "name")]
    pub(crate) markdown: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    /// The program: `.flow`, ComfyUI's `.json`, a picture that carries one; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) compile: CompileArgs,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
    #[command(flatten)]
    pub(crate) unseen: UnseenArgs,
    /// The kind of device to plan for
    #[arg(long, value_enum, default_value_t = TargetArg::Cpu)]
    target: TargetArg,
    /// Show the graph after each pass instead of the plan
    #[arg(long, conflicts_with = "output")]
    pub(crate) explain: bool,
    /// Write the plan there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

impl PlanArgs {
    pub(crate) fn options(&self) -> Options {
        self.compile.options(false, self.target.into())
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// The program: `.flow`, ComfyUI's `.json`, a picture that carries one; `-` is standard input. Or a plan
    /// (`.plan.ron`). A picture that Floe made is made anew with the params that it was made with
    #[arg(value_name = "FILE|PLAN")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) compile: CompileArgs,
    #[command(flatten)]
    pub(crate) folders: FolderArgs,
    /// Folder for results
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub(crate) output: PathBuf,
    /// Write the picture there instead
    #[arg(short = 'o', value_name = "FILE")]
    pub(crate) file_out: Option<PathBuf>,
    /// Threads to compute with; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

fn alignment(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if bytes > 0 => Ok(bytes),
        _ => Err("an alignment is a whole number from 1".to_owned()),
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
