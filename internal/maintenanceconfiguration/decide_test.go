package maintenanceconfiguration

import (
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestDecide(t *testing.T) {
	missing := []drift.Field{{Path: drift.Missing}}
	frozen := hold.Hold{Reason: "Frozen", Message: "Freeze x", NonDisruptive: true}
	stopped := hold.Hold{Reason: "Frozen", Message: "Freeze x"}
	policy := func(p string) fleetwrightv1.AzureMaintenanceConfigurationSpec {
		return fleetwrightv1.AzureMaintenanceConfigurationSpec{ClusterName: "c", DriftPolicy: fleetwrightv1.DriftPolicy(p)}
	}
	deletion := func(p string) fleetwrightv1.AzureMaintenanceConfigurationSpec {
		return fleetwrightv1.AzureMaintenanceConfigurationSpec{ClusterName: "c", DeletionPolicy: fleetwrightv1.DeletionPolicy(p)}
	}
	none := &obstacle{stuck, "NoCredentials", "no identity", personPause}
	fight := []drift.Write{{At: noon.Add(-20 * time.Minute)}, {At: noon.Add(-19 * time.Minute), Ours: true}, {At: noon.Add(-10 * time.Minute)}, {At: noon.Add(-9 * time.Minute), Ours: true}, {At: noon}}
	for name, test := range map[string]struct {
		world world
		want  string
	}{
		"as declared, for the first time": {world{}, "Done Remember (Applied: Azure has the window as it is declared)"},
		"as declared":                     {world{applied: true}, "Done None (Applied: Azure has the window as it is declared)"},
		"as declared, and paused":         {world{hold: stopped}, "Done None (Applied: Azure has the window as it is declared)"},
		"not there yet":                   {world{fields: missing}, "Working Write (NotApplied: it is missing)"},
		"not there yet, only reported":    {world{fields: missing, spec: policy("Report")}, "Working Write (NotApplied: it is missing)"},
		"not there yet, nothing disruptive": {
			world{fields: missing, hold: frozen}, "Working Write (NotApplied: it is missing)",
		},
		"not there yet, and paused": {world{fields: missing, hold: stopped}, "Held None (NotApplied: Freeze x; it is missing)"},
		"gone":                      {world{fields: missing, applied: true}, "Working Write (Drifted: it is missing)"},
		"gone, and paused":          {world{fields: missing, applied: true, hold: stopped}, "Held None (Drifted: Freeze x; it is missing)"},
		"changed by somebody": {
			world{fields: []drift.Field{{Path: "startTime", Declared: "01:00", Found: "02:00"}}, applied: true, found: &inAzure{changedBy: "u@x", changedAt: noon.Add(-time.Minute)}},
			`Working Write (Drifted: startTime is "02:00", declared is "01:00", changed by u@x 1m0s ago)`,
		},
		"gone, only reported": {world{fields: missing, applied: true, spec: policy("Report")}, "Waiting None (Drifted: it is missing; driftPolicy Report leaves it so)"},
		"gone, and lived with": {
			world{fields: missing, applied: true, spec: policy("Adopt")},
			"Done None (DriftAdopted: it is missing; driftPolicy Adopt lives with it: put what was found into the spec)",
		},
		"fought over": {
			world{fields: missing, applied: true, history: fight},
			"Stuck None (ContendedByAnotherManager: somebody else (Azure does not say who) has written the opposite 3 times since 11:40:00 (it is missing): " +
				"end that, or take these fields out of the spec, or set driftPolicy to Report)",
		},
		"without an identity": {world{obstacle: none}, "Stuck None (NoCredentials: no identity)"},

		"it leaves": {world{deleting: true, found: &inAzure{}, own: true}, "Working TakeOut (DeletingWindow: the window is taken out of Azure)"},
		"it leaves, and never wrote what is there": {
			world{deleting: true, found: &inAzure{changedBy: "u@x"}, fields: []drift.Field{{Path: "startTime"}, {Path: "utcOffset"}}},
			"Working LetGo (DeletingWindow: the window in Azure is somebody else's and stays: not as declared in startTime, utcOffset, last written by u@x)",
		},
		"it leaves, and what it wrote was changed": {
			world{deleting: true, everApplied: true, applied: true, found: &inAzure{}, fields: []drift.Field{{Path: "startTime"}}},
			"Working LetGo (DeletingWindow: the window in Azure is somebody else's and stays: not as declared in startTime)",
		},
		"it leaves, and another was declared since": {
			world{deleting: true, everApplied: true, found: &inAzure{}, own: true, fields: []drift.Field{{Path: "startTime"}}},
			"Working TakeOut (DeletingWindow: the window is taken out of Azure)",
		},
		"it leaves, and is gone already": {world{deleting: true, fields: missing, applied: true}, "Working LetGo (DeletingWindow: Azure has no such window)"},
		"it leaves, protected":           {world{deleting: true, spec: deletion("Protect")}, "Held None (DeletionProtected: deletionPolicy is Protect: set it to Delete or Retain)"},
		"it leaves, retained":            {world{deleting: true, spec: deletion("Retain"), obstacle: none, hold: frozen}, "Working LetGo (Retaining: the window stays in Azure)"},
		"it leaves, retained and paused": {world{deleting: true, spec: deletion("Retain"), hold: stopped}, "Held None (Frozen: Freeze x)"},
		"it leaves with its cluster":     {world{deleting: true, spec: deletion(""), clusterGone: true, obstacle: none}, "Working LetGo (DeletingWindow: the window goes with Cluster c)"},
		"it leaves, nothing disruptive":  {world{deleting: true, hold: frozen}, "Held None (Frozen: Freeze x; the window stays meanwhile)"},
		"it leaves, and was never there": {world{deleting: true, obstacle: none}, "Working LetGo (DeletingWindow: nothing was ever written to Azure)"},
		"it leaves, and Azure is silent": {
			world{deleting: true, obstacle: &obstacle{waiting, "AzureRefused", "no answer", 0}},
			"Waiting None (AzureRefused: no answer; deletionPolicy Retain leaves the window in Azure)",
		},
		"it leaves, without an identity": {world{deleting: true, everApplied: true, obstacle: none}, "Stuck None (NoCredentials: no identity; deletionPolicy Retain leaves the window in Azure)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decide(test.world, noon).String(); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEarly(t *testing.T) {
	up := capi.Cluster{Name: "c", Found: true, Provisioned: true, SubscriptionID: "s", ResourceGroup: "g", ManagedClusterName: "c"}
	with := func(change func(*capi.Cluster)) capi.Cluster {
		c := up
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		cluster capi.Cluster
		age     time.Duration
		want    string
	}{
		"up":           {cluster: up},
		"unknown":      {cluster: capi.Cluster{Name: "c"}, age: time.Minute, want: "Waiting ClusterNotFound there is no Cluster c in this namespace"},
		"unknown long": {cluster: capi.Cluster{Name: "c"}, age: 10 * time.Minute, want: "Stuck ClusterNotFound there is no Cluster c in this namespace"},
		"leaving":      {cluster: with(func(c *capi.Cluster) { c.Deleting = true }), want: "Waiting NotApplied Cluster c is being deleted"},
		"unsupported":  {cluster: with(func(c *capi.Cluster) { c.Unsupported = "Docker" }), want: "Stuck InvalidSpec Docker"},
		"coming up":    {cluster: with(func(c *capi.Cluster) { c.Provisioned = false }), want: "Waiting WaitingForCluster Cluster c is not up yet"},
		"without id":   {cluster: with(func(c *capi.Cluster) { c.SubscriptionID = "" }), want: "Waiting WaitingForCluster Cluster c is not up yet"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if o := early(test.cluster, noon.Add(-test.age), noon); o != nil {
				got = string(o.verdict) + " " + o.reason + " " + o.message
				if o.again <= 0 {
					t.Error("nobody looks again")
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
