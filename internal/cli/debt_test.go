package cli_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func TestDebtRanksWhatNodepoolsReport(t *testing.T) {
	f := newFleet(t)
	a := f.run("debt")
	a.expect(t, 1, a.err, "error: there are no Nodepools in namespace "+f.namespace)
	np := &fleetwrightv1.Nodepool{
		ObjectMeta: metav1.ObjectMeta{Name: f.key().Name, Namespace: f.namespace},
		Spec:       fleetwrightv1.NodepoolSpec{ClusterName: clusterName, MachineType: "D4"},
	}
	create(t, np)
	a = f.run("debt")
	a.expect(t, 0, a.out, "no workload has held up a drain of the Nodepool in namespace "+f.namespace+"\n")

	np.Status.DrainDebt = fleetwrightv1.DrainDebt{SettledTime: metav1.Now(), Workloads: []fleetwrightv1.WorkloadDebt{
		{Namespace: "shop", Owner: "Deployment/cart", Budget: "cart", Reason: "PodDisruptionBudget", Seconds: new(int64(5400)), Pods: 2, SinceTime: metav1.NewTime(time.Now().Add(-90 * time.Minute))},
		{Namespace: f.namespace, Owner: "Pod/debug", Reason: "UnmanagedPod", Seconds: new(int64(36000))},
	}}
	if err := server.Status().Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	a = f.run("debt")
	a.expect(t, 0, a.out, "HOURS ", "10.0", "Pod/debug", "1.5", "Deployment/cart", "shop", "PodDisruptionBudget", "90m")
	if strings.Index(a.out, "Pod/debug") > strings.Index(a.out, "Deployment/cart") {
		t.Errorf("the worst is not the first:\n%s", a.out)
	}
	a = f.run("debt", "-A", "--by", "cluster")
	a.expect(t, 0, a.out, f.namespace+"/"+clusterName, "11.5")
	a = f.run("debt", "-o", "json", "--by", "budget")
	a.expect(t, 0, a.out, `"kind": "DrainDebtList"`, `"by": "budget"`, `"budget": "cart"`, `"seconds": 41400`)
	a = f.run("debt", "-o", "markdown", "--by", "reason")
	a.expect(t, 0, a.out, "### Drain debt by reason: 11.5 hours", "| 10.0 | 0 | `UnmanagedPod` |")

	a = f.run("debt", "-o", "xml")
	a.expect(t, 1, a.err, `--output "xml" is none of table, json, markdown`)
	a = f.run("debt", "--by", "team")
	a.expect(t, 1, a.err, `--by "team" is none of workload, namespace, budget, cluster, reason`)
	a = f.run("__complete", "debt", "--by", "")
	a.expect(t, 0, a.out, "workload\n", "reason\n")
}
