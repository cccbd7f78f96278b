; Definitions of a package.
;;; definitions
(source_file (function_declaration name: (identifier) @name parameters: (_) @parameters) @function)
(source_file (type_declaration [(type_spec name: (type_identifier) @name) (type_alias name: (type_identifier) @name)] @type))
(source_file (const_declaration (const_spec name: (identifier) @name) @value))
(source_file (var_declaration [(var_spec name: (identifier) @name) (var_spec_list (var_spec name: (identifier) @name))] @value))
(source_file (method_declaration
  receiver: (parameter_list (parameter_declaration type: [(type_identifier) @owner (pointer_type (type_identifier) @owner)]))
  name: (field_identifier) @name parameters: (_) @parameters) @method)
;;; parameters
(parameter_list (parameter_declaration name: (identifier) @required))
(parameter_list (parameter_declaration !name) @required)
(parameter_list (variadic_parameter_declaration) @rest)
;;; arguments
(argument_list (variadic_argument) @rest)
(argument_list . (call_expression) @rest .)
;;; imports
(import_spec !name path: (interpreted_string_literal (interpreted_string_literal_content) @module))
(import_spec name: (package_identifier) @alias path: (interpreted_string_literal (interpreted_string_literal_content) @module))
(import_spec name: (dot) @star path: (interpreted_string_literal (interpreted_string_literal_content) @module))
;;; bindings
(function_declaration name: (identifier) @binding)
(method_declaration name: (field_identifier) @binding)
(method_elem name: (field_identifier) @binding)
(type_spec name: (type_identifier) @binding)
(type_alias name: (type_identifier) @binding)
(type_parameter_declaration name: (identifier) @binding)
(const_spec name: (identifier) @binding)
(var_spec name: (identifier) @binding)
(parameter_declaration name: (identifier) @binding)
(variadic_parameter_declaration name: (identifier) @binding)
(short_var_declaration left: (expression_list (identifier) @binding))
(range_clause left: (expression_list (identifier) @binding))
(receive_statement left: (expression_list (identifier) @binding))
(field_declaration name: (field_identifier) @binding)
(import_spec name: (package_identifier) @label)
(keyed_element key: (literal_element (identifier) @label))
;;; uses
(call_expression function: (identifier) @use arguments: (argument_list) @arguments)
(call_expression function: (selector_expression operand: (_) @object field: (field_identifier) @use)
  arguments: (argument_list) @arguments)
(selector_expression operand: (_) @object field: (field_identifier) @use)
(qualified_type package: (package_identifier) @object name: (type_identifier) @use)
[(identifier) (type_identifier)] @use
;;; dynamic
(import_spec name: (dot) @dynamic)
