package hold_test

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
)

func TestTheMostRestrictiveCounts(t *testing.T) {
	paused := map[string]string{"cluster.x-k8s.io/paused": ""}
	frozen := func(mode string) freeze.Effect {
		return freeze.Effect{Mode: fleetwrightv1.ReconcileMode(mode), Message: "Freeze x/y"}
	}
	for name, test := range map[string]struct {
		asking  hold.Asking
		cluster capi.Cluster
		frozen  freeze.Effect
		want    hold.Hold
	}{
		"nobody asks":    {},
		"Active is none": {asking: hold.Asking{Mode: "Active"}},
		"the cluster": {
			asking: hold.Asking{Annotations: paused, Mode: "Paused"}, cluster: capi.Cluster{Name: "c", Paused: true}, frozen: frozen("NonDisruptive"),
			want: hold.Hold{Reason: "ClusterPaused", Message: "Cluster c is paused"},
		},
		"the annotation": {
			asking: hold.Asking{Kind: "Thing", Annotations: paused, Mode: "NonDisruptive"}, frozen: frozen("NonDisruptive"),
			want: hold.Hold{Reason: "Paused", Message: "annotation cluster.x-k8s.io/paused is set on the Thing"},
		},
		"the field": {
			asking: hold.Asking{Kind: "Thing", Mode: "Paused"}, frozen: frozen("NonDisruptive"),
			want: hold.Hold{Reason: "Paused", Message: "the Thing says reconcile: Paused"},
		},
		"a Freeze that stops everything": {
			asking: hold.Asking{Mode: "NonDisruptive"}, frozen: frozen("Paused"), want: hold.Hold{Reason: "Frozen", Message: "Freeze x/y"},
		},
		"a Freeze that stops what is disruptive": {
			asking: hold.Asking{Mode: "NonDisruptive"}, frozen: frozen("NonDisruptive"), want: hold.Hold{Reason: "Frozen", Message: "Freeze x/y", NonDisruptive: true},
		},
		"the weaker field": {
			asking: hold.Asking{Kind: "Thing", Mode: "NonDisruptive"},
			want:   hold.Hold{Reason: "NonDisruptive", Message: "the Thing says reconcile: NonDisruptive", NonDisruptive: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := hold.Of(test.asking, test.cluster, test.frozen)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got.Everything() != (got.Reason != "" && !got.NonDisruptive) || got.Disruption() != (got.Reason != "") {
				t.Errorf("%+v contradicts itself", got)
			}
		})
	}
}
