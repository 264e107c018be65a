// Package aso stands in for Azure Service Operator: it brings the objects that CAPZ's AzureASOManaged* kinds consist of to
// the simulated Azure, and says how they are the way Azure Service Operator v2.18.0 does.
//
// Known are the kinds of package asospec. What users and CAPZ see is meant to be the same: the Ready condition with its
// reasons, severities and messages, status, finalizer, owner references, labels, the policy annotation, the name in Azure,
// the Secret with a cluster's kubeconfig. Each behaviour names the file that it follows.
package aso
