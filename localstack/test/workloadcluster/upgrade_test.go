package workloadcluster_test

import (
	"context"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// upgrade: one line of the spec upgrades a cluster: not before its add-on works with the new version, then the control plane, then one pool after
// the other by new nodes.
func upgrade(t *testing.T, w *world) {
	w.namespace(t, "upgrades", "production")
	w.apply(t, resourceSet+"---"+settings, "namespace", "upgrades", "name", "settings")
	spec := func(version, works string) string {
		return "  version: " + version + `
  nodepools: [{name: general, spec: {mode: User}}]
  addons: [{name: settings, kind: ClusterResourceSet, kubernetesVersions: "` + works + `"}]
`
	}
	w.cluster(t, "upgrades", "rises", spec("v1.33.6", "<1.34.0"))
	w.awaitReady(t, "upgrades", "rises")

	began := time.Now()
	w.cluster(t, "upgrades", "rises", spec("v1.34.2", "<1.34.0"))
	if words := w.awaitCondition(t, "upgrades", "rises", "UpToDate", "False", "AddonIncompatible"); !strings.Contains(words, "settings") {
		t.Errorf("it says %q", words)
	}
	w.cluster(t, "upgrades", "rises", spec("v1.34.2", "<1.35.0"))
	eventually(t, patience, "it is up to date", func(ctx context.Context) (bool, string) {
		o, err := w.get(ctx, "upgrades", "rises")
		if err != nil {
			return false, err.Error()
		}
		ok, now := is(o, "UpToDate", "True", "")
		return ok, now
	})
	w.awaitReady(t, "upgrades", "rises")

	want := []string{"PUT rises", "PUT system", "DELETE system", "PUT genera", "DELETE genera"}
	if diff := cmp.Diff(want, w.ofAKS(began, "rises")); diff != "" {
		t.Errorf("what Azure was asked for: %s", diff)
	}
	if got := w.versions(t, "rises"); got != "1.34.2 1.34.2 1.34.2" {
		t.Errorf("the versions of control plane and pools are %s", got)
	}
}

// ofAKS are the writes to a cluster and its pools since a time, by the pools' names less the digits that tell generations apart.
func (w *world) ofAKS(since time.Time, cluster string) []string {
	var out []string
	for _, write := range w.writes(since, "/managedClusters/"+cluster) {
		method, of, _ := strings.Cut(write, " ")
		if method == http.MethodPost { // asks for credentials, or for the deletion of machines
			continue
		}
		name := path.Base(of)
		const digits = 5
		if strings.Contains(of, "/agentPools/") && len(name) > digits {
			name = name[:len(name)-digits]
		}
		out = append(out, method+" "+name)
	}
	return out
}

// versions are those that Azure has for a control plane and its pools.
func (w *world) versions(t *testing.T, cluster string) string {
	t.Helper()
	properties, _ := w.raw.do(t, http.MethodGet, managedCluster(cluster), apiAKS, nil)["properties"].(map[string]any)
	version, _ := properties["currentKubernetesVersion"].(string)
	out := []string{version}
	pools, _ := properties["agentPoolProfiles"].([]any)
	for _, each := range pools {
		pool, _ := each.(map[string]any)
		version, _ := pool["currentOrchestratorVersion"].(string)
		out = append(out, version)
	}
	return strings.Join(out, " ")
}
