// Package webhooks answers admission of AzureManagedMachinePool and AzureManagedControlPlane as CAPZ v1.26.0 does: with its
// defaults, its refusals and its words. CAPZ's own webhooks cannot be imported (internal/webhooks), so this is a small
// second writing of those rules that change what the local stack does; each names the file it follows. What is left out
// only makes the stand-in accept more; the page about the stand-in lists it.
package webhooks
