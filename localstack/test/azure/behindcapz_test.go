package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func profileOfManaged(t *testing.T, w *world) {
	profileBehindCAPZ(t, w, clusterName, "AzureManagedControlPlane")
}

func profileOfASO(t *testing.T, w *world) {
	w.createASOCluster(t)
	profileBehindCAPZ(t, w, asoClusterName, "AzureASOManagedControlPlane")
}

// profileBehindCAPZ: a profile that goes by CAPZ's object is changed in Azure behind CAPZ's back, which itself looks once an hour. It is put right
// by one write. With Report it is only told of, until somebody asks for it to be healed after all.
func profileBehindCAPZ(t *testing.T, w *world, name, through string) {
	t.Helper()
	id := "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/" + name + "/providers/Microsoft.ContainerService/managedClusters/" + name
	random := map[string]any{"expander": "random"}
	must(t, w.management.Create(t.Context(), &fleetwrightv1.AzureClusterAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: fleetwrightv1.AzureClusterAutoscalerSpec{
			ClusterName: name,
			Profile: fleetwrightv1.AutoscalerProfile{AutoscalerSettings: fleetwrightv1.AutoscalerSettings{
				Expander: fleetwrightv1.AutoscalerExpanderLeastWaste, ScaleDownUnneededSeconds: new(int32(300)),
			}},
		},
	}))
	w.awaitProfile(t, name)
	if got := w.autoscaler(t, name).Status.WrittenThrough; string(got) != through {
		t.Errorf("written through %s, want %s", got, through)
	}

	changed := w.changeProfile(t, id, random)
	w.awaitHealed(t, name, id, 1)
	w.wantWrites(t, id, changed, 1)

	w.setDriftPolicy(t, name, fleetwrightv1.DriftPolicyReport)
	w.awaitProfile(t, name)
	changed = w.changeProfile(t, id, random)
	w.awaitReported(t, name)
	w.awaitSweeps(t, "autoscaler profiles") // it is seen again, and left
	w.wantWrites(t, id, changed, 0)
	if expander := profileOf(t, w.awaitSettled(t, id))["expander"]; expander != "random" {
		t.Errorf("the expander is %v although the policy is Report", expander)
	}

	asked := time.Now()
	w.setDriftPolicy(t, name, fleetwrightv1.DriftPolicyHeal)
	w.awaitHealed(t, name, id, 3)
	w.wantWrites(t, id, asked, 1)
	if n := w.requests(http.MethodPut, "/managedClusters/"+name+"/agentPools/", changed); n != 0 {
		t.Errorf("pools were written %d times", n)
	}
}

func (w *world) setDriftPolicy(t *testing.T, name string, policy fleetwrightv1.DriftPolicy) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"driftPolicy":%q}}`, policy))
	must(t, w.management.Patch(t.Context(), w.autoscaler(t, name), patch))
}

// awaitReported waits until condition, history, event and metric all tell of the drift and of who did it.
func (w *world) awaitReported(t *testing.T, name string) {
	t.Helper()
	said := fmt.Sprintf(`expander is "random", declared is "least-waste", changed by %s`, somebody)
	eventually(t, 20*time.Second, "the drift is reported", func(context.Context) (bool, string) {
		a := w.autoscaler(t, name)
		ok, now := conditionOf(a.Status.Conditions, "Applied")
		return !ok && strings.HasPrefix(now, "Drifted: "+said) && len(a.Status.DriftHistory) == 2, now
	})
	last := w.autoscaler(t, name).Status.DriftHistory[1]
	if last.Outcome != fleetwrightv1.DriftOutcomeReported || last.ChangedBy != somebody {
		t.Errorf("the history tells of %+v", last)
	}
	w.awaitTold(t, name, "Drifted", said)
	series := `fleetwright_cluster_autoscaler_condition{cluster=%q,condition="Applied",name=%q,namespace=%q,reason="Drifted",status="False"}`
	eventually(t, 10*time.Second, "a metric tells of the drift", func(context.Context) (bool, string) {
		return w.metric(t, fmt.Sprintf(series, name, name, namespace)) == 1, ""
	})
}
