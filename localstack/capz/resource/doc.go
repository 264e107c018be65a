// Package resource keeps single Azure resources as they should be. It stands in for Azure Service Operator, the operator
// that CAPZ hands its resources to: it creates what is missing, replaces what was asked to be different, follows the
// long-running operation without blocking, waits while someone else's operation runs, and sorts Azure's refusals into
// those worth another attempt and those that only a change of the specification cures.
//
// What it remembers (operations under way, what it last asked for, the last refusal) is a shortcut and not a source of
// truth: after a restart the first look at Azure tells whether there is anything to do.
package resource
