//! Flat programs in ComfyUI's formats. Types are not judged: values go out as they are.

mod api;
mod ids;
mod json;
mod layout;
mod ui;

use floe_lang::ast;
use floe_stdlib::World;

use crate::eval::{Judge, evaluate};
use crate::{Checked, Options, Warning, checked, modes};

/// Evaluates a program and writes it in the format of ComfyUI's server: nodes by id, each with its class and inputs.
///
/// Ids are those of `@id`, else names of bindings, so that they stay when other lines change. Every default is spelled out.
pub fn export_api(program: &ast::File, options: &Options, world: &dyn World) -> Checked<String> {
    let mut evaluated = evaluate(program, options, world, Judge::Values);
    modes::apply(&mut evaluated.flat);
    let (prompt, errors) = api::prompt(&evaluated.flat);
    errors.into_iter().for_each(|error| evaluated.found.error(error));
    checked(Some(json::write(&prompt)), evaluated)
}

/// Evaluates a program and writes it as the file that ComfyUI's editor opens: see [`ui`].
///
/// Values that the editor has no place for are warnings: the file means the same but for these.
pub fn export_ui(program: &ast::File, options: &Options, world: &dyn World) -> Checked<String> {
    let mut evaluated = evaluate(program, options, world, Judge::Values);
    modes::apply(&mut evaluated.flat);
    let (_, errors) = api::prompt(&evaluated.flat);
    errors.into_iter().for_each(|error| evaluated.found.error(error));
    let workflow = ui::workflow(program, &evaluated.flat);
    for (call, arg) in workflow.lost {
        let call = evaluated.flat.call(call);
        let (node, arg) = (call.decl.name.to_string(), &call.args[arg]);
        let (input, span) = (arg.name.to_string(), arg.place.into());
        evaluated.found.warnings.push(Warning::NotInFile { node, input, span });
    }
    checked(Some(json::write(&workflow.json)), evaluated)
}
