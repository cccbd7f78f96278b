; Definitions of a module and of its classes.
;;; definitions
(module (function_definition name: (identifier) @name parameters: (_) @parameters) @function)
(module (decorated_definition (decorator) @decorated
  definition: (function_definition name: (identifier) @name parameters: (_) @parameters) @function))
(module (class_definition name: (identifier) @name) @type)
(module (decorated_definition definition: (class_definition name: (identifier) @name) @type))
(module (expression_statement (assignment left: (identifier) @name) @value))
(module (class_definition name: (identifier) @owner !superclasses
  body: (block (function_definition name: (identifier) @name parameters: (_) @parameters) @method)))
(module (class_definition name: (identifier) @owner !superclasses
  body: (block (decorated_definition (decorator) @decorated
    definition: (function_definition name: (identifier) @name parameters: (_) @parameters) @method))))
;;; parameters
(parameters [(identifier) (typed_parameter [(identifier)])] @required)
(parameters [(list_splat_pattern) (dictionary_splat_pattern) (typed_parameter [(list_splat_pattern) (dictionary_splat_pattern)])] @rest)
;;; arguments
(argument_list [(list_splat) (dictionary_splat)] @rest)
;;; imports
(import_statement name: (dotted_name) @module @whole)
(import_statement name: (aliased_import name: (dotted_name) @module alias: (identifier) @alias))
(import_from_statement module_name: (_) @module name: (dotted_name) @imported)
(import_from_statement module_name: (_) @module name: (aliased_import name: (dotted_name) @imported alias: (identifier) @alias))
(import_from_statement module_name: (_) @module (wildcard_import) @star)
;;; bindings
(function_definition name: (identifier) @binding)
(class_definition name: (identifier) @binding)
(parameters (identifier) @binding)
(typed_parameter (identifier) @binding)
(default_parameter name: (identifier) @binding)
(typed_default_parameter name: (identifier) @binding)
(lambda_parameters (identifier) @binding)
(list_splat_pattern (identifier) @binding)
(dictionary_splat_pattern (identifier) @binding)
(assignment left: (identifier) @binding)
(assignment left: (attribute attribute: (identifier) @binding))
(pattern_list (identifier) @binding)
(tuple_pattern (identifier) @binding)
(named_expression name: (identifier) @binding)
(for_statement left: (identifier) @binding)
(for_in_clause left: (identifier) @binding)
(as_pattern_target (identifier) @binding)
(global_statement (identifier) @binding)
(aliased_import alias: (identifier) @binding)
(import_from_statement name: (dotted_name (identifier) @imported))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @imported)))
(import_from_statement module_name: (_ (identifier) @imported))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @imported)))
(import_statement name: (dotted_name (identifier) @imported))
(keyword_argument name: (identifier) @label)
(decorator (attribute attribute: (identifier) @label))
;;; uses
(call function: (identifier) @use arguments: (argument_list) @arguments)
(call function: (attribute object: (_) @object attribute: (identifier) @use) arguments: (argument_list) @arguments)
(attribute object: (_) @object attribute: (identifier) @use)
(identifier) @use
;;; dynamic
(function_definition name: (identifier) @dynamic (#eq? @dynamic "__getattr__"))
(call function: (identifier) @dynamic (#any-of? @dynamic "globals" "exec" "setattr"))
(import_from_statement (wildcard_import) @dynamic)
