// Package realcapz runs the real CAPZ and Azure Service Operator managers on a local stack, in place of the stand-in.
//
// Both are built unmodified from their Go modules, pinned by the modules capz and aso below this folder, and run as child
// processes in a sandbox (see package sandbox), because their webhook servers listen on all interfaces. They believe to talk
// to Azure itself: HTTPS_PROXY leads management.azure.com and login.microsoftonline.com to the simulator. What kustomize and
// cert-manager do on a real management cluster (contract labels, webhook addresses, certificates) is done here.
package realcapz
