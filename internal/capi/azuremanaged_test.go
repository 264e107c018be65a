package capi

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// What AzureManagedMachinePool has no field for is merged into Azure Service
// Operator's object, in one patch.
func TestPatchesOfANewPool(t *testing.T) {
	cases := map[string]struct {
		spec agentpool.Spec
		want []string
	}{
		"none":        {agentpool.Spec{Subnet: "nodes"}, nil},
		"one release": {agentpool.Spec{OSSKU: "AzureLinux"}, []string{`{"spec":{"osSKU":"AzureLinux"}}`}},
		"all": {
			agentpool.Spec{
				OSSKU: "AzureLinux", SpotEvictionPolicy: "Delete", PodSubnet: "pods", Subnet: "/subscriptions/x",
				Overrides: map[string]string{"enableFIPS": "true", "upgradeSettings.maxSurge": `"33%"`},
			},
			[]string{`{"spec":{"enableFIPS":true,"osSKU":"AzureLinux","podSubnetReference":{"armId":"/net/subnets/pods"},"scaleSetEvictionPolicy":"Delete","upgradeSettings":{"maxSurge":"33%"},"vnetSubnetReference":{"armId":"/subscriptions/x"}}}`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.spec.MachineType = "D4"
			infra := generalx(tc.spec).infra(Cluster{network: "/net"}, managed)
			if diff := cmp.Diff(tc.want, stringsAt(infra, "spec", "asoManagedClustersAgentPoolPatches")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// People patch pools as well: what they wrote stays, and counts.
func TestPatchesOfPeople(t *testing.T) {
	surge := func(value string) map[string]string {
		return map[string]string{"upgradeSettings.maxSurge": `"` + value + `"`}
	}
	const theirs = "spec:\n  messageOfTheDay: aGk=\n  vmSize: D16\n"
	cases := map[string]struct {
		before []any
		wanted map[string]string
		want   []string
	}{
		"nothing wanted":       {[]any{theirs}, nil, []string{theirs}},
		"added after theirs":   {[]any{theirs}, surge("33%"), []string{theirs, `{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`}},
		"said already":         {[]any{theirs, `{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`}, surge("33%"), []string{theirs, `{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`}},
		"said already by them": {[]any{"{spec: {upgradeSettings: {maxSurge: 33%}}}"}, surge("33%"), []string{"{spec: {upgradeSettings: {maxSurge: 33%}}}"}},
		"changed": {
			[]any{theirs, `{"spec":{"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"10%"}}}`}, surge("33%"),
			[]string{theirs, `{"spec":{"osSKU":"AzureLinux","upgradeSettings":{"maxSurge":"33%"}}}`},
		},
		"theirs comes later": {
			[]any{`{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`, "{spec: {upgradeSettings: {maxSurge: 10%}}}"}, surge("33%"),
			[]string{`{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`, "{spec: {upgradeSettings: {maxSurge: 10%}}}", `{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`},
		},
		"no patch at all": {[]any{"- a list"}, surge("33%"), []string{"- a list", `{"spec":{"upgradeSettings":{"maxSurge":"33%"}}}`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			infra := infraWith(nil, true)
			infra.Object["spec"] = map[string]any{"sku": "D4", "asoManagedClustersAgentPoolPatches": tc.before}
			managed.SetInPlace(infra, agentpool.Spec{Overrides: tc.wanted})
			if diff := cmp.Diff(tc.want, stringsAt(infra, "spec", "asoManagedClustersAgentPoolPatches")); diff != "" {
				t.Error(diff)
			}
			got := managed.Read(infra, nil).Spec
			if got.Overrides["upgradeSettings.maxSurge"] != tc.wanted["upgradeSettings.maxSurge"] {
				t.Errorf("reads back as %v", got.Overrides)
			}
			if tc.before[0] == theirs && (got.MachineType != "D16" || got.Overrides["messageOfTheDay"] != `"aGk="`) {
				t.Errorf("their patch reads as machine %s and %v", got.MachineType, got.Overrides)
			}
		})
	}
}

// A pool that people made has typed fields for what a Nodepool overrides.
func TestTypedFieldsReadAsOverrides(t *testing.T) {
	infra := infraWith(nil, true)
	infra.Object["spec"] = map[string]any{
		"sku": "D4", "enableFIPS": true, "kubeletDiskType": "OS", "nodePublicIPPrefixID": "/p", "spotMaxPrice": "250m",
		"kubeletConfig": map[string]any{"podMaxPids": int64(512), "allowedUnsafeSysctls": []any{"a"}},
		"linuxOSConfig": map[string]any{"sysctls": map[string]any{"netIpv4TCPTwReuse": true, "netIpv4IPLocalPortRange": "1 2"}},
		"scaling":       map[string]any{"minSize": int64(1), "maxSize": int64(2)},
	}
	got := managed.Read(infra, nil).Spec
	want := map[string]string{
		"enableFIPS": "true", "kubeletDiskType": `"OS"`, "nodePublicIPPrefixReference.armId": `"/p"`,
		"kubeletConfig.podMaxPids": "512", "kubeletConfig.allowedUnsafeSysctls": `["a"]`,
		"linuxOSConfig.sysctls.netIpv4TcpTwReuse": "true", "linuxOSConfig.sysctls.netIpv4IpLocalPortRange": `"1 2"`,
	}
	if diff := cmp.Diff(want, got.Overrides); diff != "" || got.SpotMaxPrice != "0.25" {
		t.Errorf("%s, price %s", diff, got.SpotMaxPrice)
	}
}

// CAPZ's webhook refuses changes of most fields, and then of all of them.
func TestChangesInPlaceTouchNothingTheWebhookRefuses(t *testing.T) {
	made := agentpool.Spec{
		MachineType: "D4", Type: "Regular", DiskSizeGiB: 128, DiskType: "Managed", MaxPods: 30, OSType: "Linux", OSSKU: "Ubuntu",
		Zones: []string{"1"}, Subnet: "a", PodSubnet: "b", Mode: "User", Scaling: &agentpool.Scaling{Min: 1, Max: 2},
		Overrides: map[string]string{"enableFIPS": "false"},
	}
	wanted := agentpool.Spec{
		MachineType: "D8", Type: "Spot", DiskSizeGiB: 256, DiskType: "Ephemeral", MaxPods: 60, OSType: "Windows", OSSKU: "Windows2022",
		Zones: []string{"2"}, Subnet: "c", PodSubnet: "d", Mode: "System", Scaling: &agentpool.Scaling{Min: 3, Max: 4}, ScaleDownMode: "Deallocate",
		Labels: map[string]string{"a": "b"}, Tags: map[string]string{"a": "b"}, Taints: []agentpool.Taint{{Key: "a", Effect: "NoSchedule"}},
		Overrides: map[string]string{"enableFIPS": "true", "upgradeSettings.maxSurge": `"1"`},
	}
	o := generalx(made).Objects(prod, managed)
	before := treeAt(o.Infra.DeepCopy(), "spec")
	o.SetInPlace(wanted, nil, "general")
	after := treeAt(o.Infra, "spec")
	for _, f := range agentpool.ProviderFields() {
		if f.Webhook && !reflect.DeepEqual(before[f.Typed], after[f.Typed]) {
			t.Errorf("%s is changed from %v to %v", f.Typed, before[f.Typed], after[f.Typed])
		}
	}
	if got := managed.Read(o.Infra, nil).Spec.Overrides; got["enableFIPS"] != "false" || got["upgradeSettings.maxSurge"] != `"1"` {
		t.Errorf("overrides are %v", got)
	}
}
