package controlplane

import (
	"fmt"
	"strings"
)

// unusedAdmission are admission plug-ins that guard things a simulated cluster does not have, or that would need a controller we do not run.
// TaintNodesByCondition is among them because the controller that takes its taint away again is not run: the simulated kubelet does both.
var unusedAdmission = []string{
	"ServiceAccount", "PodSecurity", "StorageObjectInUseProtection", "PersistentVolumeClaimResize", "DefaultStorageClass",
	"CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction", "ClusterTrustBundleAttest", "DefaultIngressClass",
	"ResourceQuota", "LimitRanger", "RuntimeClass", "TaintNodesByCondition",
}

// dynamicAdmission is what the management cluster needs and workload clusters do without.
var dynamicAdmission = []string{
	"ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "ValidatingAdmissionWebhook", "MutatingAdmissionWebhook",
}

// unusedAPIs must not name networking.k8s.io/v1 (a hook waits for it and then ends the process) nor admissionregistration.k8s.io/v1
// (the server would never get ready).
var unusedAPIs = []string{
	"api/beta=false", "autoscaling/v1=false", "autoscaling/v2=false", "certificates.k8s.io/v1=false", "node.k8s.io/v1=false",
	"flowcontrol.apiserver.k8s.io/v1=false",
}

func etcdPrefix(name string) string { return "/" + name }

// flags returns the kube-apiserver flags for a server. No secret is among them, only the paths of files that hold them.
func flags(o Options, f files) []string {
	off, events := unusedAdmission, "1h"
	if o.Management {
		events = "12h"
	} else {
		off = append(append([]string{}, unusedAdmission...), dynamicAdmission...)
	}
	all := []string{
		"--etcd-servers=" + o.Etcd.URL(),
		"--etcd-prefix=" + etcdPrefix(o.Name),
		"--bind-address=127.0.0.1",
		"--tls-cert-file=" + f.servingCert,
		"--tls-private-key-file=" + f.servingKey,
		"--token-auth-file=" + f.tokens,
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.saKey,
		"--service-account-signing-key-file=" + f.saKey,
		"--service-cluster-ip-range=10.0.0.0/16",
		"--endpoint-reconciler-type=none",
		"--allow-privileged=true",
		"--profiling=false",
		"--enable-priority-and-fairness=false",
		"--event-ttl=" + events,
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",
		"--etcd-compaction-interval=5m",
		"--disable-admission-plugins=" + strings.Join(off, ","),
		"--runtime-config=" + strings.Join(unusedAPIs, ","),
	}
	if o.AuditLog != "" {
		all = append(all,
			"--audit-policy-file="+f.auditPolicy,
			"--audit-log-path="+o.AuditLog,
			"--audit-log-format=json",
			"--audit-log-mode=blocking",
			"--audit-log-maxsize=1024",
		)
	}
	return all
}

// policyOf is the audit policy: what auditPolicy has, and, where one is named, what that user reads.
func (o Options) policyOf() string {
	if o.AuditReadsOf == "" {
		return auditPolicy + "- level: None\n"
	}
	return auditPolicy + fmt.Sprintf("- level: Metadata\n  verbs: [get, list, watch]\n  users: [%q]\n- level: None\n", o.AuditReadsOf)
}

// auditPolicy records who changed what and with which answer, including evictions and refusals, never bodies (they hold Secrets).
// Leases and events would drown the rest.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
  - {group: "", resources: [events]}
  - {group: events.k8s.io, resources: [events]}
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
`
