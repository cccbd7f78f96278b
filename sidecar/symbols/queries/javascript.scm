; What JavaScript has beside script.scm: definitions of a module and of its classes.
;;; definitions
(program (class_declaration name: (identifier) @name) @type)
(program (variable_declaration (variable_declarator name: (identifier) @name) @value))
(program (export_statement declaration: (class_declaration name: (identifier) @name) @type))
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
;;; imports
(variable_declarator name: (identifier) @alias value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @imported)
  value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
(variable_declarator name: (object_pattern (pair_pattern key: (property_identifier) @imported value: (identifier) @alias))
  value: (call_expression function: (identifier) @_require
  arguments: (arguments (string (string_fragment) @module))) (#eq? @_require "require"))
;;; bindings
(class_declaration name: (identifier) @binding)
(field_definition property: (property_identifier) @binding)
(formal_parameters (identifier) @binding)
;;; uses
[(identifier) (shorthand_property_identifier)] @use
;;; dynamic
(assignment_expression left: (_) @_exports right: [(identifier) (call_expression) (new_expression) (object (spread_element))] @dynamic
  (#eq? @_exports "module.exports"))
