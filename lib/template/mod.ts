/**
 * The template language of Go's text/template: its syntax, and the walk over it. What values are and what functions do
 * is up to a {@link TemplateModel}.
 *
 * @module
 */
export { TemplateError, TemplateFault } from "./error.ts";
export { parseTemplate, type Template } from "./parse.ts";
export { renderTemplate, type TemplateModel } from "./render.ts";
