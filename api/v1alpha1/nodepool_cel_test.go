package v1alpha1_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// Objects are written as users write them, so that what the Go type would leave out is sent too. The sentences are
// literals: changing one is a change for users.
func TestNodepoolAdmission(t *testing.T) {
	tooManyLabels := "labels: {" + numbered("k%d: v", 65) + "}"
	for name, test := range map[string]struct {
		name string   // of the object; empty: c1-general
		spec string   // beside clusterName and machineType
		want []string // field: sentence; empty: accepted
	}{
		"the least":  {},
		"everything": {spec: everything},

		"N2 replicas alone":          {spec: "replicas: 3"},
		"N2 scaling alone":           {spec: "scaling: {min: 1, max: 3}"},
		"N2 replicas and scaling":    {spec: "replicas: 3\nscaling: {min: 1, max: 3}", want: []string{"spec: set either replicas or scaling, not both"}},
		"N3 regular system pool":     {spec: "mode: System\ntype: Regular"},
		"N3 spot user pool":          {spec: "mode: User\ntype: Spot"},
		"N3 spot pool without mode":  {spec: "type: Spot"},
		"N3 spot system pool":        {spec: "mode: System\ntype: Spot", want: []string{"spec: a System pool cannot be Spot: AKS runs system pods on Regular nodes only"}},
		"N4 Linux system pool":       {spec: "mode: System\nos: {type: Linux}"},
		"N4 system pool, only a SKU": {spec: "mode: System\nos: {sku: AzureLinux}"},
		"N4 Windows user pool":       {spec: "mode: User\nos: {type: Windows}"},
		"N4 Windows system pool":     {spec: "mode: System\nos: {type: Windows}", want: []string{"spec: a System pool must run Linux"}},
		"N5 system pool of one":      {spec: "mode: System\nreplicas: 1"},
		"N5 system pool from one":    {spec: "mode: System\nscaling: {min: 1, max: 3}"},
		"N5 user pool of none":       {spec: "mode: User\nreplicas: 0"},
		"N5 user pool from none":     {spec: "scaling: {min: 0, max: 3}"},
		"N5 system pool of none":     {spec: "mode: System\nreplicas: 0", want: []string{"spec: a System pool needs at least 1 node"}},
		"N5 system pool from none":   {spec: "mode: System\nscaling: {min: 0, max: 3}", want: []string{"spec: a System pool needs at least 1 node"}},
		"N7 labels of one's own":     {spec: "labels: {team: shared, example.com/x: z, empty: ''}"},
		"N7 an AKS label":            {spec: "labels: {kubernetes.azure.com/mode: system}", want: []string{"spec.labels: labels under kubernetes.azure.com/ and fleetwright.io/ are reserved"}},
		"N7 a label of ours":         {spec: "labels: {fleetwright.io/nodepool: x}", want: []string{"spec.labels: labels under kubernetes.azure.com/ and fleetwright.io/ are reserved"}},
		"N8 min is max":              {spec: "scaling: {min: 3, max: 3}"},
		"N8 min above max":           {spec: "scaling: {min: 4, max: 3}", want: []string{"spec.scaling: scaling.min must not be greater than scaling.max"}},
		"N10 Linux SKU":              {spec: "os: {sku: AzureLinux}"},
		"N10 Linux SKU and type":     {spec: "os: {type: Linux, sku: Ubuntu2204}"},
		"N10 Windows SKU and type":   {spec: "os: {type: Windows, sku: Windows2022}"},
		"N10 Windows SKU alone":      {spec: "os: {sku: Windows2022}", want: []string{"spec.os: os.sku does not belong to os.type"}},
		"N10 Windows SKU on Linux":   {spec: "os: {type: Linux, sku: Windows2022}", want: []string{"spec.os: os.sku does not belong to os.type"}},
		"N10 Linux SKU on Windows":   {spec: "os: {type: Windows, sku: AzureLinux}", want: []string{"spec.os: os.sku does not belong to os.type"}},
		"N12 longest name":           {name: strings.Repeat("a", 57)},
		"N12 name too long":          {name: strings.Repeat("a", 58), want: []string{"<nil>: name must be at most 57 characters without dots: the pools underneath append 6"}},
		"N12 name with a dot":        {name: "c1.general", want: []string{"<nil>: name must be at most 57 characters without dots: the pools underneath append 6"}},

		"label value too long":    {spec: "labels: {k: " + strings.Repeat("v", 64) + "}", want: []string{"spec.labels.k: Too long: may not be more than 63 bytes"}},
		"longest label":           {spec: "labels: {" + strings.Repeat("p", 253) + "/" + strings.Repeat("n", 63) + ": " + strings.Repeat("v", 63) + "}"},
		"label name too long":     {spec: "labels: {" + strings.Repeat("n", 64) + ": v}", want: []string{"spec.labels: " + labelKey}},
		"label prefix too long":   {spec: "labels: {" + strings.Repeat("p", 254) + "/n: v}", want: []string{"spec.labels: " + labelKey}},
		"label key is none":       {spec: "labels: {'a b': v}", want: []string{"spec.labels: " + labelKey}},
		"label prefix is none":    {spec: "labels: {Example.com/a: v}", want: []string{"spec.labels: " + labelKey}},
		"empty label key":         {spec: "labels: {'': v}", want: []string{"spec.labels: " + labelKey}},
		"label value is none":     {spec: "labels: {a: 'c d'}", want: []string{`spec.labels.a: spec.labels.a in body should match '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'`}},
		"a taint of AKS":          {spec: "taints: [{key: kubernetes.azure.com/scalesetpriority, value: spot, effect: NoSchedule}]", want: []string{"spec.taints[0].key: taints under kubernetes.azure.com/ are AKS' own"}},
		"a tag of ours":           {spec: "tags: {fleetwright-owner: me}", want: []string{"spec.tags: tags under fleetwright- are reserved"}},
		"too many labels":         {spec: tooManyLabels, want: []string{"spec.labels: Too many: 65: must have at most 64 items"}},
		"no labels at all":        {spec: "labels: {}", want: []string{"spec.labels: spec.labels in body should have at least 1 properties"}},
		"longest tag":             {spec: "tags: {" + strings.Repeat("k", 256) + ": " + strings.Repeat("v", 256) + "}"},
		"tag value too long":      {spec: "tags: {k: " + strings.Repeat("v", 257) + "}", want: []string{"spec.tags: a tag's name must be 1 to 256 characters and its value at most 256"}},
		"tag name too long":       {spec: "tags: {" + strings.Repeat("k", 257) + ": v}", want: []string{"spec.tags: a tag's name must be 1 to 256 characters and its value at most 256"}},
		"version without v":       {spec: "version: 1.34.2"},
		"version with v":          {spec: "version: v1.34.2"},
		"version without patch":   {spec: "version: v1.34", want: []string{`spec.version: spec.version in body should match '^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$'`}},
		"pre-release":             {spec: "version: v1.34.2-rc.1", want: []string{`spec.version: spec.version in body should match '^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$'`}},
		"unknown mode":            {spec: "mode: Gateway", want: []string{`spec.mode: Unsupported value: "Gateway": supported values: "System", "User"`}},
		"unknown type":            {spec: "type: spot", want: []string{`spec.type: Unsupported value: "spot": supported values: "Regular", "Spot"`}},
		"disk too small":          {spec: "disk: {sizeGiB: 29}", want: []string{"spec.disk.sizeGiB: spec.disk.sizeGiB in body should be greater than or equal to 30"}},
		"disk too large":          {spec: "disk: {sizeGiB: 2049}", want: []string{"spec.disk.sizeGiB: spec.disk.sizeGiB in body should be less than or equal to 2048"}},
		"empty disk":              {spec: "disk: {}", want: []string{"spec.disk: spec.disk in body should have at least 1 properties"}},
		"too few pods":            {spec: "maxPods: 9", want: []string{"spec.maxPods: spec.maxPods in body should be greater than or equal to 10"}},
		"too many pods":           {spec: "maxPods: 251", want: []string{"spec.maxPods: spec.maxPods in body should be less than or equal to 250"}},
		"zone out of range":       {spec: `zones: ["4"]`, want: []string{"spec.zones[0]: spec.zones[0] in body should match '^[1-3]$'"}},
		"zone twice":              {spec: `zones: ["1", "1"]`, want: []string{`spec.zones[1]: Duplicate value: "1"`}},
		"subnet by id":            {spec: "subnet: /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n"},
		"subnet by half an id":    {spec: "subnet: /subscriptions/x", want: []string{"spec.subnet: spec.subnet in body should match '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?|/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+)$'"}},
		"taint without value":     {spec: "taints: [{key: example.com/gpu, effect: NoSchedule}]"},
		"taint key is no label":   {spec: "taints: [{key: 'a b', effect: NoSchedule}]", want: []string{`spec.taints[0].key: spec.taints[0].key in body should match '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$'`}},
		"taint without effect":    {spec: "taints: [{key: a}]", want: []string{"spec.taints[0].effect: Required value"}},
		"taint with two values":   {spec: "taints: [{key: a, value: b, effect: NoSchedule}, {key: a, value: c, effect: NoSchedule}]", want: []string{`spec.taints[1]: Duplicate value: {"effect":"NoSchedule","key":"a"}`}},
		"too many nodes":          {spec: "replicas: 1001", want: []string{"spec.replicas: spec.replicas in body should be less than or equal to 1000"}},
		"scaling without min":     {spec: "scaling: {max: 3}", want: []string{"spec.scaling.min: Required value"}},
		"scaling without max":     {spec: "scaling: {min: 3}", want: []string{"spec.scaling.max: Required value"}},
		"impatient":               {spec: "replacement: {provisionTimeoutSeconds: 299}", want: []string{"spec.replacement.provisionTimeoutSeconds: spec.replacement.provisionTimeoutSeconds in body should be greater than or equal to 300"}},
		"S1 surge of nodes":       {spec: "replacement: {maxSurge: 5}"},
		"S1 surge in percent":     {spec: "replacement: {strategy: StagedShift, maxSurge: 33%}"},
		"S1 surge of everything":  {spec: "replacement: {maxSurge: 100%}"},
		"S1 no surge":             {spec: "replacement: {maxSurge: 0}", want: []string{"spec.replacement.maxSurge: " + surge}},
		"S1 surge beyond all":     {spec: "replacement: {maxSurge: 101%}", want: []string{surgeText}},
		"S1 surge in words":       {spec: "replacement: {maxSurge: some}", want: []string{surgeText}},
		"unknown strategy":        {spec: "replacement: {strategy: Canary}", want: []string{`spec.replacement.strategy: Unsupported value: "Canary": supported values: "Auto", "InPlaceOnly", "FullGreen", "StagedShift"`}},
		"longest soak":            {spec: "replacement: {soakSeconds: 2592000, soakMode: Cordoned}"},
		"soak too long":           {spec: "replacement: {soakSeconds: 2592001}", want: []string{"spec.replacement.soakSeconds: spec.replacement.soakSeconds in body should be less than or equal to 2592000"}},
		"N6 spot settings":        {spec: "type: Spot\nspot: {maxPrice: '0.25', evictionPolicy: Delete}"},
		"N6 price of Regular":     {spec: "type: Spot\nspot: {maxPrice: '-1'}"},
		"N6 spot without type":    {spec: "spot: {maxPrice: '0.25'}", want: []string{"spec: spot settings need type: Spot"}},
		"N6 a price that is none": {spec: "type: Spot\nspot: {maxPrice: cheap}", want: []string{`spec.spot.maxPrice: spec.spot.maxPrice in body should match '^(-1|[0-9]{1,6}(\.[0-9]{1,5})?)$'`}},
		"N9 system pool soaks":    {spec: "mode: System\nreplacement: {soakSeconds: 60}"},
		"N9 system pool at zero":  {spec: "mode: System\nreplacement: {soakSeconds: 60, soakMode: ScaledToZero}", want: []string{"spec: a System pool cannot be scaled to zero while it soaks: use Cordoned"}},
		"a window":                {spec: `maintenance: {windows: [{name: nights, schedule: "0 22 * * 1-4", durationSeconds: 28800, timeZone: Europe/Berlin}]}`},
		"a window by names":       {spec: `maintenance: {windows: [{name: weekend, schedule: "30 9 * JAN-MAR SAT", durationSeconds: 3600}]}`},
		"a window of 4 fields":    {spec: `maintenance: {windows: [{name: nights, schedule: "0 22 * * ", durationSeconds: 28800}]}`, want: []string{"spec.maintenance.windows[0].schedule: spec.maintenance.windows[0].schedule in body should match '" + schedule + "'"}},
		"a window too short":      {spec: `maintenance: {windows: [{name: nights, schedule: "0 22 * * *", durationSeconds: 60}]}`, want: []string{"spec.maintenance.windows[0].durationSeconds: spec.maintenance.windows[0].durationSeconds in body should be greater than or equal to 900"}},
		"two windows of a name":   {spec: `maintenance: {windows: [{name: a, schedule: "0 22 * * *", durationSeconds: 900}, {name: a, schedule: "0 23 * * *", durationSeconds: 900}]}`, want: []string{`spec.maintenance.windows[1]: Duplicate value: {"name":"a"}`}},
		"overrides":               {spec: "providerOverrides: {kubeletConfig: {cpuManagerPolicy: static}}"},
		"overrides are no text":   {spec: "providerOverrides: static", want: []string{`spec.providerOverrides: spec.providerOverrides in body must be of type object: "string"`}},
		"rollout after a moment":  {spec: `rolloutAfter: "2026-11-20T00:00:00Z"`},
		"rollout after a word":    {spec: "rolloutAfter: soon", want: []string{`spec.rolloutAfter: spec.rolloutAfter in body must be of type date-time: "soon"`}},
		"adoption":                {spec: "adoption: {machinePools: [np1], policy: Adopt}"},
		"adoption of nothing":     {spec: "adoption: {policy: Adopt}", want: []string{"spec.adoption.machinePools: Required value"}},
		"reconcile":               {spec: "reconcile: NonDisruptive\ndeletionPolicy: Protect"},
		"reconcile stopped":       {spec: "reconcile: Stopped", want: []string{`spec.reconcile: Unsupported value: "Stopped": supported values: "Active", "NonDisruptive", "Paused"`}},
		"deletion by surprise":    {spec: "deletionPolicy: Orphan", want: []string{`spec.deletionPolicy: Unsupported value: "Orphan": supported values: "Delete", "Retain", "Protect"`}},
		"no waiting for nodes":    {spec: "replacement: {minReadySeconds: 0}"},
	} {
		t.Run(name, func(t *testing.T) {
			object := nodepool(t, test.name, test.spec)
			err := server.Create(t.Context(), object, client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNodepoolNeedsClusterAndMachine(t *testing.T) {
	object := nodepool(t, "", "")
	object.Object["spec"] = map[string]any{}
	want := []string{"spec.clusterName: Required value", "spec.machineType: Required value"}
	if diff := cmp.Diff(want, refusals(t, server.Create(t.Context(), object, client.DryRunAll))); diff != "" {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
	delete(object.Object, "spec")
	if diff := cmp.Diff([]string{"spec: Required value"}, refusals(t, server.Create(t.Context(), object, client.DryRunAll))); diff != "" {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
}

func TestNodepoolStaysInItsCluster(t *testing.T) {
	object := nodepool(t, "c1-moved", "")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, "Standard_D16ds_v5", "spec", "machineType")
	if err := server.Update(t.Context(), object); err != nil {
		t.Fatalf("another machine type was refused: %v", err)
	}
	set(t, object, "c2", "spec", "clusterName")
	want := []string{"spec.clusterName: clusterName is immutable: create another Nodepool"}
	if diff := cmp.Diff(want, refusals(t, server.Update(t.Context(), object))); diff != "" {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
}

// N11: what was carried out cannot be taken back by editing it.
func TestAnAdoptionStays(t *testing.T) {
	object := nodepool(t, "c1-adopted", "adoption: {machinePools: [np1]}")
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, "Adopt", "spec", "adoption", "policy")
	if err := server.Update(t.Context(), object); err != nil {
		t.Fatalf("going on from Report was refused: %v", err)
	}
	set(t, object, "Report", "spec", "adoption", "policy")
	want := []string{"spec.adoption: an adoption that was carried out cannot be changed; set deletionPolicy: Retain and delete the Nodepool to undo it"}
	if diff := cmp.Diff(want, refusals(t, server.Update(t.Context(), object))); diff != "" {
		t.Errorf("refused differently (-want +got):\n%s", diff)
	}
}

const (
	surge     = "maxSurge must be 1 to 1000 nodes or 1% to 100%"
	surgeText = "spec.replacement.maxSurge: spec.replacement.maxSurge in body should match '^(100|[1-9][0-9]?)%$'"
	schedule  = `^[-A-Za-z0-9*/,?]+( [-A-Za-z0-9*/,?#L]+){4}$`
)

const labelKey = "a label's key is a name of at most 63 letters, digits, dashes, dots and underscores, after a lower-case DNS name and a slash if it has a prefix"

const everything = `
version: v1.34.2
mode: User
type: Regular
disk: {sizeGiB: 128, type: Ephemeral}
maxPods: 60
os: {type: Linux, sku: AzureLinux}
zones: ["1", "2", "3"]
subnet: nodes
labels: {team: shared}
taints: [{key: dedicated, value: shared, effect: NoSchedule}]
tags: {cost-center: "4711"}
scaling: {min: 3, max: 40, downMode: Deallocate}
podSubnet: pods
providerOverrides: {kubeletConfig: {cpuManagerPolicy: static}}
replacement: {strategy: Auto, maxSurge: 25%, minReadySeconds: 30, provisionTimeoutSeconds: 1800, soakSeconds: 86400, soakMode: ScaledToZero}
maintenance: {windows: [{name: nights, schedule: "0 22 * * 1-4", durationSeconds: 28800, timeZone: Europe/Berlin}]}
rolloutAfter: "2026-11-20T00:00:00Z"
adoption: {machinePools: [np1], policy: Report}
reconcile: Active
deletionPolicy: Delete
`

// nodepool is the least Nodepool with more spec added, in YAML.
func nodepool(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	if name == "" {
		name = "c1-general"
	}
	fields := map[string]any{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatalf("the test's YAML: %v", err)
	}
	fields["clusterName"], fields["machineType"] = "c1", "Standard_D8ds_v5"
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": "Nodepool",
		"metadata": map[string]any{"name": name, "namespace": "default"},
		"spec":     fields,
	}}
}

func set(t *testing.T, object *unstructured.Unstructured, value any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
		t.Fatal(err)
	}
}

// beforeSentence is what the API server puts before a rule's own sentence: the value, if it is short.
var beforeSentence = regexp.MustCompile(`^Invalid value: (("(\\.|[^"\\])*"|\{.*?\}|-?[0-9]+): )?`)

// refusals lists each field with its sentence; nil if there was no error.
func refusals(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var status *apierrors.StatusError
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) || status.ErrStatus.Details == nil {
		t.Fatalf("not a refusal of the object: %v", err)
	}
	var found []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if strings.Contains(cause.Message, "some validation rules were not checked") {
			continue // the schema already refused
		}
		found = append(found, cause.Field+": "+beforeSentence.ReplaceAllString(cause.Message, ""))
	}
	return found
}
