package chart_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// unproven are rights of which the audit log does not say that they are used.
var unproven = sets.New(
	// The audit log leaves Leases and events out; what is refused of them would be in the manager's own log.
	"create coordination.k8s.io/leases", "update coordination.k8s.io/leases",
	"create events", "patch events", "create events.k8s.io/events", "patch events.k8s.io/events",
	// A pool whose MachinePool somebody else deleted, which does not happen here.
	"delete infrastructure.cluster.x-k8s.io/azuremanagedmachinepools",
	// The other flavour: the cluster here is of the first.
	"create infrastructure.cluster.x-k8s.io/azureasomanagedmachinepools", "patch infrastructure.cluster.x-k8s.io/azureasomanagedmachinepools",
	"delete infrastructure.cluster.x-k8s.io/azureasomanagedmachinepools",
	// A server-side apply that makes an object needs the right to create it, and is a patch in the log.
	"create fleetwright.io/azuremaintenanceconfigurations", "create fleetwright.io/azureroleassignments", "create fleetwright.io/azureclusterautoscalers",
	"create fleetwright.io/nodepools", "create fleetwright.io/addressclaims", "create fleetwright.io/azureclusteradditionalconfigs",
	// The other flavour of whole clusters; and CAPZ's objects are deleted by Cluster API, unless the operator ended before it made the Cluster.
	"create infrastructure.cluster.x-k8s.io/azureasomanagedclusters", "patch infrastructure.cluster.x-k8s.io/azureasomanagedclusters",
	"delete infrastructure.cluster.x-k8s.io/azureasomanagedclusters", "create infrastructure.cluster.x-k8s.io/azureasomanagedcontrolplanes",
	"delete infrastructure.cluster.x-k8s.io/azureasomanagedcontrolplanes", "patch infrastructure.cluster.x-k8s.io/azuremanagedclusters",
	"delete infrastructure.cluster.x-k8s.io/azuremanagedclusters", "delete infrastructure.cluster.x-k8s.io/azuremanagedcontrolplanes",
	// No Azure answers to the operator here, so of a role nothing is known that could be told.
	"patch fleetwright.io/azureroleassignments/status",
	// The profile is written to one of the two.
	"patch infrastructure.cluster.x-k8s.io/azuremanagedcontrolplanes", "patch infrastructure.cluster.x-k8s.io/azureasomanagedcontrolplanes",
)

// checkRights compares what the operator wrote with what it may write: nothing was refused, and nothing is granted for nothing.
func (s *site) checkRights(t *testing.T) {
	t.Helper()
	used := s.writes(t)
	granted := sets.New[string]()
	for _, rule := range s.grants(t) {
		for _, verb := range rule.Verbs {
			if slices.Contains([]string{"get", "list", "watch"}, verb) {
				continue
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					granted.Insert(right(verb, group, resource))
				}
			}
		}
	}
	if extra := granted.Difference(used).Difference(unproven); len(extra) > 0 {
		t.Errorf("rights that nothing uses: %v", sets.List(extra))
	}
	if unknown := unproven.Difference(granted); len(unknown) > 0 {
		t.Errorf("rights that this test excuses and that are not granted: %v", sets.List(unknown))
	}
}

func (s *site) grants(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	var everywhere rbacv1.ClusterRole
	s.get(t, "", "fleetwright", &everywhere)
	var here rules
	s.get(t, namespace, "fleetwright", &here)
	return slices.Concat(everywhere.Rules, here.Rules)
}

// writes reads the operator's writes out of the audit log. Every authenticated user may ask what it may do; that needs no grant.
func (s *site) writes(t *testing.T) sets.Set[string] {
	t.Helper()
	content, err := os.ReadFile(s.Layout().ManagementAudit())
	if err != nil {
		t.Fatal(err)
	}
	used := sets.New[string]()
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if event.User.Username != accountUser || event.ObjectRef == nil || event.ObjectRef.APIGroup == "authorization.k8s.io" {
			continue
		}
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		which := right(event.Verb, event.ObjectRef.APIGroup, resource)
		if event.ResponseStatus != nil && event.ResponseStatus.Code == 403 {
			t.Errorf("the operator was refused: %s %s", which, event.ResponseStatus.Message)
		}
		used.Insert(which)
	}
	if len(used) == 0 {
		t.Errorf("%s wrote nothing", accountUser)
	}
	return used
}

func right(verb, group, resource string) string {
	if group != "" {
		resource = group + "/" + resource
	}
	return verb + " " + resource
}

// checkMetrics compares what was scraped with the list in docs/install.md.
func checkMetrics(t *testing.T, scraped string) {
	t.Helper()
	content, err := os.ReadFile(root + "/docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile("fleetwright_[a-z_]+")
	listed := sets.New(ours.FindAllString(string(content), -1)...)
	served := sets.New(ours.FindAllString(scraped, -1)...)
	if unlisted := served.Difference(listed); len(unlisted) > 0 {
		t.Errorf("docs/install.md does not list %v", sets.List(unlisted))
	}
	// Nothing runs on these clusters, so no eviction was counted and nobody holds up a drain; and nobody asks Azure, so no budget was begun
	// and no object of Azure is told of. Addresses are given out, and a whole cluster is made, later.
	silent := sets.New("fleetwright_nodepool_evictions_total", "fleetwright_drain_debt_seconds_total", "fleetwright_drain_blocked_pods", "fleetwright_azure_budget_left",
		"fleetwright_additional_config_condition", "fleetwright_maintenance_configuration_condition",
		"fleetwright_maintenance_configuration_actions_total", "fleetwright_maintenance_configuration_drifts_total",
		"fleetwright_cluster_autoscaler_condition", "fleetwright_cluster_autoscaler_actions_total", "fleetwright_cluster_autoscaler_drifts_total",
		"fleetwright_address_pool_condition", "fleetwright_address_pool_free_ratio", "fleetwright_address_pool_allocations",
		"fleetwright_address_pool_exhaustion_timestamp_seconds", "fleetwright_address_claim_condition", "fleetwright_address_claim_actions_total",
		"fleetwright_workload_cluster_class_condition", "fleetwright_workload_cluster_condition", "fleetwright_workload_cluster_actions_total",
		"fleetwright_workload_cluster_step_seconds", "fleetwright_workload_cluster_ready_seconds")
	if missing := listed.Difference(served); !missing.Equal(silent) {
		t.Errorf("docs/install.md lists %v and the manager does not serve them", sets.List(missing))
	}
	for _, family := range []string{"controller_runtime_", "workqueue_", "rest_client_", "leader_election_", "go_", "process_"} {
		if !strings.Contains(scraped, "\n"+family) {
			t.Errorf("there is no metric %s*", family)
		}
	}
}
