package agentpool

import "testing"

// These are in use: another hash would look for every pool under another name.
func TestFingerprintsNeverChange(t *testing.T) {
	cases := map[string]struct {
		spec Spec
		want string
	}{
		"least": {Spec{Version: "v1.34.2", MachineType: "D4"}, "1:f35360b4c4410cf40f47d6b6ee92dabc85976b0ff0a271e59126a32b5b90990e"},
		"all of the first release": {
			Spec{
				Version: "v1.34.2", Type: "Spot", MachineType: "D8", DiskSizeGiB: 128, DiskType: "Ephemeral", MaxPods: 60,
				OSType: "Linux", OSSKU: "AzureLinux", Zones: []string{"3", "1"}, Subnet: "nodes",
				Mode: "User", Labels: map[string]string{"a": "b"}, ScaleDownMode: "Deallocate", Scaling: &Scaling{Min: 1, Max: 2},
				Overrides: map[string]string{"upgradeSettings.maxSurge": `"33%"`},
			}, "1:5161c110276778b7dc449a50f144d0804ffd1a45a06fe43959a2f21708519667",
		},
		"what replaces counts": {
			Spec{Version: "v1.34.2", MachineType: "D4", Overrides: map[string]string{
				"upgradeSettings.maxSurge": `"33%"`, "kubeletConfig.cpuManagerPolicy": `"static"`,
			}}, "1:c9a757ec0cb037827dd9f4a6aec1b99ac5b5cf2a8101def3e8d3747306106c86",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Fingerprint("u", tc.spec); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
