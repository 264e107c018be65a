// Package arm asks Azure Resource Manager what a node pool replacement needs to know, and does there what only Azure can
// do. It is the real implementation of the port in package capacity.
//
// Nothing here waits for an operation of Azure, and each request is made once: whoever calls decides from the kind of the
// refusal (package refusal) whether and when to try again. Lists are read with only the fields that are used; why, and
// why not by the SDK's typed clients, is in docs/decisions/2026-11-26-azure-port.md.
package arm
