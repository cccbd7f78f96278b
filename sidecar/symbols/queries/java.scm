; The types of a file and their methods.
;;; definitions
(program [(class_declaration name: (identifier) @name) (interface_declaration name: (identifier) @name)
  (enum_declaration name: (identifier) @name) (record_declaration name: (identifier) @name)
  (annotation_type_declaration name: (identifier) @name)] @type)
(program (class_declaration name: (identifier) @owner !superclass !interfaces
  body: (class_body (method_declaration name: (identifier) @name parameters: (_) @parameters) @method)))
(program (enum_declaration name: (identifier) @owner !interfaces
  body: (enum_body (enum_body_declarations (method_declaration name: (identifier) @name parameters: (_) @parameters) @method))))
;;; parameters
(formal_parameters (formal_parameter) @required)
(formal_parameters (spread_parameter) @rest)
;;; arguments
;;; imports
(import_declaration "static" (scoped_identifier scope: (_) @module name: (identifier) @static) .)
(import_declaration . (scoped_identifier) @module .)
(import_declaration (_) @module (asterisk) @star)
;;; bindings
(class_declaration name: (identifier) @binding)
(interface_declaration name: (identifier) @binding)
(enum_declaration name: (identifier) @binding)
(record_declaration name: (identifier) @binding)
(annotation_type_declaration name: (identifier) @binding)
(method_declaration name: (identifier) @binding)
(constructor_declaration name: (identifier) @binding)
(enum_constant name: (identifier) @binding)
(variable_declarator name: (identifier) @binding)
(formal_parameter name: (identifier) @binding)
(catch_formal_parameter name: (identifier) @binding)
(enhanced_for_statement name: (identifier) @binding)
(lambda_expression parameters: (identifier) @binding)
(inferred_parameters (identifier) @binding)
(resource name: (identifier) @binding)
(type_parameter (type_identifier) @binding)
(import_declaration (_) @imported)
;;; uses
(method_invocation !object name: (identifier) @use arguments: (argument_list) @arguments)
(method_invocation object: (_) @object name: (identifier) @use arguments: (argument_list) @arguments)
(method_reference . (_) @object (identifier) @use .)
(field_access object: (_) @object field: (identifier) @use)
(scoped_type_identifier (_) @object (type_identifier) @use .)
[(identifier) (type_identifier)] @use
;;; dynamic
