package clusterautoscaler

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

var wanted = autoscalerprofile.Values{"expander": "least-waste", "scale-down-unneeded-time": "5m"}

var found = autoscalerprofile.Values{"expander": "random", "scale-down-unneeded-time": "5m", "scan-interval": "10s"}

var inForce = autoscalerprofile.Values{"expander": "least-waste", "scale-down-unneeded-time": "300s", "scan-interval": "10s"}

// viaARM is a world in which Azure is the writer and has these values, and CAPZ's object is one where that is.
func viaARM(values autoscalerprofile.Values, change ...func(*world)) world {
	w := world{wanted: wanted, writer: fleetwrightv1.AutoscalerWriterARM, azure: autoscalerprofile.InAzure{Values: values}, known: true, live: true}
	w.spec.ClusterName = "shop"
	for _, c := range change {
		c(&w)
	}
	return w
}

func viaCAPZ(declared autoscalerprofile.Values, ours []string, azure autoscalerprofile.Values, change ...func(*world)) world {
	w := world{
		wanted: wanted, writer: fleetwrightv1.AutoscalerWriterAzureASOManagedControlPlane,
		declared: capi.AutoscalerProfile{Kind: "AzureASOManagedControlPlane", Object: "shop", Declared: declared, Ours: ours, Progress: capi.Progress{State: capi.Done}},
		azure:    autoscalerprofile.InAzure{Values: azure}, known: azure != nil, unknown: "nobody tells",
	}
	w.spec.ClusterName = "shop"
	for _, c := range change {
		c(&w)
	}
	return w
}

func applied(w *world)  { w.applied = true }
func live(w *world)     { w.live = true }
func deleting(w *world) { w.deleting = true }
func leaving(w *world)  { w.leaving = true }
func making(w *world)   { w.making = true }
func busy(w *world)     { w.azure.Busy = "pool blue is Updating" }
func paused(w *world)   { w.hold = hold.Hold{Reason: "Frozen", Message: "Freeze x/y"} }
func gentle(w *world) {
	w.hold = hold.Hold{Reason: "NonDisruptive", Message: "gently", NonDisruptive: true}
}
func policy(p fleetwrightv1.DriftPolicy) func(*world) {
	return func(w *world) { w.spec.DriftPolicy = p }
}
func deletion(p fleetwrightv1.DeletionPolicy) func(*world) {
	return func(w *world) { w.spec.DeletionPolicy = p }
}
func state(s capi.State) func(*world) {
	return func(w *world) { w.declared.Progress = capi.Progress{State: s, Message: "no such expander"} }
}

func changedBy(who string) func(*world) {
	return func(w *world) { w.azure.ChangedBy, w.azure.ChangedAt = who, noon.Add(-time.Minute) }
}

// fight are three opposite writes within an hour.
func fight(w *world) {
	for i := range 3 {
		at := noon.Add(time.Duration(i-3) * 10 * time.Minute)
		w.history = append(w.history, drift.Write{At: at, By: "terraform"}, drift.Write{At: at.Add(time.Minute), Ours: true})
	}
	w.history = w.history[:5]
}

func obstructed(reason string) func(*world) {
	return func(w *world) { w.obstacle = &obstacle{stuck, reason, "because", time.Minute} }
}

var both = []string{"expander", "scale-down-unneeded-time"}

func TestDecide(t *testing.T) {
	const differs = `expander is "random", declared is "least-waste"`
	for name, tc := range map[string]struct {
		world world
		want  string
		again time.Duration
	}{
		"an obstacle":            {viaARM(found, obstructed("InvalidSpec")), "Stuck None (InvalidSpec: because)", time.Minute},
		"ARM, not written yet":   {viaARM(found), "Working WriteAzure (NotApplied: " + differs + ")", 0},
		"ARM, nothing there":     {viaARM(nil), `Working WriteAzure (NotApplied: expander is not set, declared is "least-waste", scaleDownUnneededSeconds is not set, declared is "5m")`, 0},
		"ARM, as wanted":         {viaARM(inForce), "Done Remember (Applied: Azure has every setting as declared)", 0},
		"ARM, known to be so":    {viaARM(inForce, applied), "Done None (Applied: Azure has every setting as declared)", 0},
		"ARM, our own operation": {viaARM(inForce, busy), "Working None (Unconfirmed: written to Azure; pool blue is Updating)", slotPause},
		"ARM, another's": {
			viaARM(found, busy), "Waiting None (WaitingForSlot: pool blue is Updating, and Azure takes one operation at a time; then it is written: " + differs + ")", slotPause,
		},
		"ARM, busy later on":          {viaARM(inForce, applied, busy), "Done None (Applied: Azure has every setting as declared)", 0},
		"ARM, paused":                 {viaARM(found, paused), "Held None (NotApplied: Freeze x/y)", 0},
		"ARM, paused and busy":        {viaARM(found, paused, busy), "Held None (NotApplied: Freeze x/y)", 0},
		"ARM, paused and in force":    {viaARM(inForce, paused), "Done None (Applied: Azure has every setting as declared)", 0},
		"ARM, gently":                 {viaARM(found, gentle), "Working WriteAzure (NotApplied: " + differs + ")", 0},
		"ARM, what cannot be shown":   {viaARM(autoscalerprofile.Values{"expander": "least-waste", "scale-down-unneeded-time": "5m", "scan-interval": "9h"}, applied), "Done None (Applied: Azure has every setting as declared; what it has of others cannot be shown: scanIntervalSeconds)", 0},
		"drift is healed":             {viaARM(found, applied, changedBy("ops@shop")), "Working WriteAzure (Drifted: " + differs + ", changed by ops@shop 1m0s ago)", 0},
		"drift waits for its turn":    {viaARM(found, applied, busy), "Waiting None (WaitingForSlot: pool blue is Updating, and Azure takes one operation at a time; then it is written: " + differs + ")", slotPause},
		"drift is reported":           {viaARM(found, applied, policy("Report")), "Waiting None (Drifted: " + differs + "; driftPolicy Report leaves it so)", 0},
		"drift is adopted":            {viaARM(found, applied, policy("Adopt")), "Done None (DriftAdopted: " + differs + "; driftPolicy Adopt lives with it: put what was found into the spec)", 0},
		"a new spec is no drift":      {viaARM(found, policy("Report")), "Working WriteAzure (NotApplied: " + differs + ")", 0},
		"a fight":                     {viaARM(found, applied, fight), "Stuck None (ContendedByAnotherManager: terraform has written the opposite 3 times since 11:30:00 (" + differs + "): end that, or take these fields out of the spec, or set driftPolicy to Report)", 0},
		"CAPZ, nothing written":       {viaCAPZ(nil, nil, found), `Working Write (NotApplied: expander is not set, declared is "least-waste", scaleDownUnneededSeconds is not set, declared is "5m")`, 0},
		"CAPZ, before the cluster is": {viaCAPZ(nil, nil, nil, making), `Working Write (NotApplied: expander is not set, declared is "least-waste", scaleDownUnneededSeconds is not set, declared is "5m")`, 0},
		"CAPZ, written before that":   {viaCAPZ(wanted, both, nil, making), "Waiting None (WaitingForCluster: written to AzureASOManagedControlPlane shop; the cluster is being made)", 0},
		"CAPZ, nobody tells of Azure": {viaCAPZ(wanted, both, nil), "Waiting None (NotReadable: written to AzureASOManagedControlPlane shop; nobody tells)", personPause},
		"CAPZ, one too many":          {viaCAPZ(inForce, append([]string{"scan-interval"}, both...), inForce, applied), "Working Write (NotApplied: AzureASOManagedControlPlane shop is written)", 0},
		"CAPZ, on its way":            {viaCAPZ(wanted, both, found, state(capi.Working)), "Working None (Unconfirmed: written to AzureASOManagedControlPlane shop; Azure does not show it yet: " + differs + ")", 0},
		"CAPZ, waits for Azure":       {viaCAPZ(wanted, both, found), "Working None (Unconfirmed: written to AzureASOManagedControlPlane shop; Azure does not show it yet: " + differs + ")", 0},
		"CAPZ, refused":               {viaCAPZ(wanted, both, found, state(capi.Failed)), "Stuck None (AzureRefused: written to AzureASOManagedControlPlane shop, and refused: no such expander)", personPause},
		"CAPZ, as wanted":             {viaCAPZ(wanted, both, inForce), "Done Remember (Applied: Azure has every setting as declared)", 0},
		"CAPZ, known to be so":        {viaCAPZ(wanted, both, inForce, applied), "Done None (Applied: Azure has every setting as declared)", 0},
		"CAPZ, others say so":         {viaCAPZ(inForce, nil, inForce, applied), "Done None (Applied: Azure has every setting as declared)", 0},
		"CAPZ, paused":                {viaCAPZ(nil, nil, found, paused), "Held None (NotApplied: Freeze x/y)", 0},
		"CAPZ, the cluster goes":      {viaCAPZ(nil, nil, found, leaving), "Waiting None (NotApplied: Cluster shop is being deleted, so nothing is written any more)", 0},
		"CAPZ, Azure drifted": {
			viaCAPZ(wanted, both, found, applied),
			"Waiting None (Drifted: " + differs + "; Azure Service Operator writes it again at its next sync, which comes once an hour if its AZURE_SYNC_PERIOD says nothing else)", personPause,
		},
		"CAPZ, Azure itself says so": {
			viaCAPZ(wanted, both, found, applied, live, changedBy("ops@shop")), "Working WriteAzure (Drifted: " + differs + ", changed by ops@shop 1m0s ago)", 0,
		},
		"CAPZ, Azure is busy": {
			viaCAPZ(wanted, both, found, applied, live, busy), "Waiting None (WaitingForSlot: pool blue is Updating, and Azure takes one operation at a time; then it is written: " + differs + ")", slotPause,
		},
		"CAPZ, Azure drifted in a pause": {viaCAPZ(wanted, both, found, applied, live, paused), "Held None (NotApplied: Freeze x/y)", 0},
		"CAPZ, Azure drifted at the end": {viaCAPZ(wanted, both, found, applied, live, leaving), "Waiting None (NotApplied: Cluster shop is being deleted, so nothing is written any more)", 0},
		"CAPZ, Azure drifted, adopted":   {viaCAPZ(wanted, both, found, applied, live, policy("Adopt")), "Done None (DriftAdopted: " + differs + "; driftPolicy Adopt lives with it: put what was found into the spec)", 0},
		"CAPZ, Azure drifted, reported":  {viaCAPZ(wanted, both, found, applied, policy("Report")), "Waiting None (Drifted: " + differs + "; driftPolicy Report leaves it so)", 0},
		"CAPZ, Azure is fought over":     {viaCAPZ(wanted, both, found, applied, fight), "Stuck None (ContendedByAnotherManager: terraform has written the opposite 3 times since 11:30:00 (" + differs + "): end that, or take these fields out of the spec, or set driftPolicy to Report)", 0},
		"CAPZ's object lost a setting":   {viaCAPZ(autoscalerprofile.Values{"expander": "least-waste"}, both[:1], inForce, applied), `Working Write (Drifted: scaleDownUnneededSeconds is not set, declared is "5m")`, 0},
		"and is left so":                 {viaCAPZ(autoscalerprofile.Values{"expander": "least-waste"}, both[:1], inForce, applied, policy("Report")), `Waiting None (Drifted: scaleDownUnneededSeconds is not set, declared is "5m"; driftPolicy Report leaves it so)`, 0},

		"deleted, protected":       {viaARM(inForce, deleting, deletion("Protect")), "Held None (DeletionProtected: deletionPolicy is Protect: set it to Delete or Retain)", 0},
		"deleted, paused":          {viaARM(inForce, deleting, paused), "Held None (Frozen: Freeze x/y)", 0},
		"deleted, retained":        {viaARM(inForce, deleting, deletion("Retain")), "Working LetGo (Retaining: the settings stay as they are)", 0},
		"deleted":                  {viaARM(inForce, deleting), "Working GiveUp (Releasing: the settings are given up and get their defaults)", 0},
		"deleted, others' values":  {viaARM(autoscalerprofile.Values{"expander": "random"}, deleting), "Working LetGo (Releasing: there is no setting to give up)", 0},
		"deleted, busy":            {viaARM(inForce, deleting, busy), "Waiting None (WaitingForSlot: pool blue is Updating, and Azure takes one operation at a time; then the settings are given up)", slotPause},
		"deleted, no right":        {viaARM(nil, deleting, obstructed("PermissionDenied")), "Stuck None (PermissionDenied: because; deletionPolicy Retain leaves the settings as they are)", time.Minute},
		"deleted, no cluster":      {viaARM(nil, deleting, obstructed("ClusterNotFound")), "Working LetGo (Releasing: there is no cluster to give settings up on: because)", 0},
		"deleted, no word on it":   {viaARM(nil, deleting, obstructed("InvalidSpec")), "Working LetGo (Releasing: there is no cluster to give settings up on: because)", 0},
		"CAPZ, deleted":            {viaCAPZ(wanted, both, inForce, deleting), "Working GiveUp (Releasing: the settings are given up and get their defaults)", 0},
		"CAPZ, deleted, retained":  {viaCAPZ(wanted, both, inForce, deleting, deletion("Retain")), "Working Release (Retaining: the settings stay as they are)", 0},
		"CAPZ, deleted, none ours": {viaCAPZ(wanted, nil, inForce, deleting), "Working LetGo (Releasing: there is no setting to give up)", 0},
		"CAPZ, with its cluster":   {viaCAPZ(wanted, both, inForce, deleting, leaving), "Working LetGo (Releasing: Cluster shop goes with its settings)", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := decide(tc.world, noon)
			if diff := cmp.Diff(tc.want, got.String()); diff != "" || got.again != tc.again {
				t.Errorf("look again in %s, want %s (-want +got):\n%s", got.again, tc.again, diff)
			}
			if strings.HasSuffix(got.message, ".") || len(got.message) > 900 {
				t.Errorf("message %q", got.message)
			}
			if again := decide(tc.world, noon); again.String() != got.String() {
				t.Errorf("the same world, another plan: %s", again)
			}
		})
	}
}

func TestWhatIsGivenUp(t *testing.T) {
	w := viaARM(autoscalerprofile.Values{"expander": "random", "scale-down-unneeded-time": "300s", "scan-interval": "20s"})
	if diff := cmp.Diff([]string{"scale-down-unneeded-time"}, w.left()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFingerprint(t *testing.T) {
	same := fingerprintOf(autoscalerprofile.Values{"scale-down-unneeded-time": "5m", "expander": "least-waste"})
	if fingerprintOf(wanted) != same || !strings.HasPrefix(same, "1:") {
		t.Errorf("%s is not %s", fingerprintOf(wanted), same)
	}
	for _, other := range []autoscalerprofile.Values{nil, {"expander": "least-waste"}, {"expander": "least-waste", "scale-down-unneeded-time": "6m"}} {
		if fingerprintOf(other) == same {
			t.Errorf("%v has the same", other)
		}
	}
}
