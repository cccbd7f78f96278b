; What TypeScript has beside script.scm: types, and definitions of a module and of its classes.
;;; definitions
(program (function_signature name: (identifier) @name parameters: (_) @parameters) @function)
(program (export_statement declaration: (function_signature name: (identifier) @name parameters: (_) @parameters) @function))
(program (class_declaration name: (type_identifier) @name) @type)
(program (abstract_class_declaration name: (type_identifier) @name) @type)
(program (interface_declaration name: (type_identifier) @name) @type)
(program (type_alias_declaration name: (type_identifier) @name) @type)
(program (enum_declaration name: (identifier) @name) @type)
(program (export_statement declaration: (class_declaration name: (type_identifier) @name) @type))
(program (export_statement declaration: (abstract_class_declaration name: (type_identifier) @name) @type))
(program (export_statement declaration: (interface_declaration name: (type_identifier) @name) @type))
(program (export_statement declaration: (type_alias_declaration name: (type_identifier) @name) @type))
(program (export_statement declaration: (enum_declaration name: (identifier) @name) @type))
(program (class_declaration name: (type_identifier) @owner
  body: (class_body (method_definition name: (property_identifier) @name parameters: (_) @parameters) @method)) @class)
(program (export_statement declaration: (class_declaration name: (type_identifier) @owner
  body: (class_body (method_definition name: (property_identifier) @name parameters: (_) @parameters) @method)) @class))
;;; parameters
(formal_parameters (required_parameter !value pattern: [(identifier) (object_pattern) (array_pattern)]) @required)
(formal_parameters (required_parameter pattern: (rest_pattern)) @rest)
;;; arguments
;;; imports
(import_require_clause (identifier) @alias source: (string (string_fragment) @module))
;;; bindings
(function_signature name: (identifier) @binding)
(class_declaration name: (type_identifier) @binding)
(abstract_class_declaration name: (type_identifier) @binding)
(interface_declaration name: (type_identifier) @binding)
(type_alias_declaration name: (type_identifier) @binding)
(type_parameter name: (type_identifier) @binding)
(enum_declaration name: (identifier) @binding)
(internal_module name: (identifier) @binding)
(module name: (identifier) @binding)
(method_signature name: (property_identifier) @binding)
(abstract_method_signature name: (property_identifier) @binding)
(property_signature name: (property_identifier) @binding)
(public_field_definition name: (property_identifier) @binding)
(required_parameter pattern: (identifier) @binding)
(optional_parameter pattern: (identifier) @binding)
(import_require_clause (identifier) @binding)
;;; uses
(nested_type_identifier module: (_) @object name: (type_identifier) @use)
[(identifier) (type_identifier) (shorthand_property_identifier)] @use
;;; dynamic
(export_statement "=" @dynamic)
