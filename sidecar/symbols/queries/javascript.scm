; Definitions of a module and of its classes.
;;; definitions
(program (function_declaration name: (identifier) @name parameters: (_) @parameters) @function)
(program (generator_function_declaration name: (identifier) @name parameters: (_) @parameters) @function)
(program (class_declaration name: (identifier) @name) @type)
(program (lexical_declaration (variable_declarator name: (identifier) @name) @value))
(program (variable_declaration (variable_declarator name: (identifier) @name) @value))
(program (export_statement declaration: (function_declaration name: (identifier) @name parameters: (_) @parameters) @function))
(program (export_statement declaration: (generator_function_declaration name: (identifier) @name parameters: (_) @parameters) @function))
(program (export_statement declaration: (class_declaration name: (identifier) @name) @type))
(program (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @value)))
(program (export_statement (export_clause (export_specifier name: (identifier) @name !alias))) @value)
(program (export_statement (export_clause (export_specifier alias: (identifier) @name))) @value)
(program (expression_statement (assignment_expression left: (member_expression
  object: (_) @_exports property: (property_identifier) @name) @value)) (#any-of? @_exports "exports" "module.exports"))
(program (expression_statement (assignment_expression left: (_) @_exports
  right: (object [(shorthand_property_identifier) @name (pair key: (property_identifier) @name)]))) @value
  (#eq? @_exports "module.exports"))
(program (class_declaration name: (identifier) @owner
  body: (class_body (method_definition name: (property_identifier) @name parameters: (_) @parameters) @method)) @class)
(program (export_statement declaration: (class_declaration name: (identifier) @owner
  body: (class_body (method_definition name: (property_identifier) @name parameters: (_) @parameters) @method)) @class))
;;; parameters
;;; arguments
(arguments (spread_element) @rest)
;;; imports
(import_statement (import_clause (named_imports (import_specifier name: (_) @imported !alias)))
  source: (string (string_fragment) @module))
(import_statement (import_clause (named_imports (import_specifier name: (_) @imported alias: (_) @alias)))
  source: (string (string_fragment) @module))
(import_statement (import_clause (namespace_import (identifier) @alias)) source: (string (string_fragment) @module))
(import_statement (import_clause (identifier) @default) source: (string (string_fragment) @module))
(import_statement . source: (string (string_fragment) @module))
(export_statement (export_clause (export_specifier name: (_) @imported)) source: (string (string_fragment) @module))
(export_statement "*" @star source: (string (string_fragment) @module))
(variable_declarator name: (identifier) @alias value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @imported)
  value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
(variable_declarator name: (object_pattern (pair_pattern key: (property_identifier) @imported value: (identifier) @alias))
  value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
(call_expression function: [(identifier) @_require (import) @_import]
  arguments: (arguments (string (string_fragment) @module)) (#eq? @_require "require"))
;;; bindings
(function_declaration name: (identifier) @binding)
(generator_function_declaration name: (identifier) @binding)
(class_declaration name: (identifier) @binding)
(variable_declarator name: (identifier) @binding)
(method_definition name: (property_identifier) @binding)
(field_definition property: (property_identifier) @binding)
(assignment_expression left: (identifier) @binding)
(assignment_expression left: (member_expression property: (property_identifier) @binding))
(formal_parameters (identifier) @binding)
(assignment_pattern left: (identifier) @binding)
(rest_pattern (identifier) @binding)
(arrow_function parameter: (identifier) @binding)
(catch_clause parameter: (identifier) @binding)
(for_in_statement left: (identifier) @binding)
(shorthand_property_identifier_pattern) @binding
(pair_pattern value: (identifier) @binding)
(array_pattern (identifier) @binding)
(import_specifier name: (identifier) @imported)
(import_specifier alias: (identifier) @binding)
(import_clause (identifier) @binding)
(namespace_import (identifier) @binding)
(export_specifier name: (identifier) @exported)
(export_specifier alias: (identifier) @binding)
(pair key: (property_identifier) @binding)
(pair_pattern key: (property_identifier) @label)
;;; uses
(call_expression function: (identifier) @use arguments: (arguments) @arguments)
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @use)
  arguments: (arguments) @arguments)
(member_expression object: (_) @object property: (property_identifier) @use)
[(identifier) (shorthand_property_identifier)] @use
;;; dynamic
(export_statement "*" @dynamic)
(assignment_expression left: (_) @_exports right: [(identifier) (call_expression) (new_expression) (object (spread_element))] @dynamic
  (#eq? @_exports "module.exports"))
