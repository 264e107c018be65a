package agentpool

import "testing"

// What is said in two ways is no reason to replace a pool.
func TestTwoWaysToSayTheSame(t *testing.T) {
	const subnet = "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/c/subnets/nodes"
	cases := map[string]struct {
		wanted, existing Spec
		differs          bool
	}{
		"an id in another case":      {Spec{Subnet: subnet}, Spec{Subnet: "/SUBSCRIPTIONS" + subnet[len("/subscriptions"):]}, false},
		"another id":                 {Spec{Subnet: subnet}, Spec{Subnet: subnet + "2"}, true},
		"a name for an id":           {Spec{PodSubnet: "nodes"}, Spec{PodSubnet: subnet}, false},
		"an id for a name":           {Spec{PodSubnet: subnet}, Spec{PodSubnet: "nodes"}, false},
		"another name":               {Spec{Subnet: "es"}, Spec{Subnet: subnet}, true},
		"a family for its release":   {Spec{OSSKU: "Ubuntu"}, Spec{OSSKU: "Ubuntu2204"}, false},
		"a release for its family":   {Spec{OSSKU: "Ubuntu2204"}, Spec{OSSKU: "Ubuntu"}, true},
		"another release":            {Spec{OSSKU: "Windows2022"}, Spec{OSSKU: "Windows2019"}, true},
		"an old name":                {Spec{OSSKU: "AzureLinux"}, Spec{OSSKU: "CBLMariner"}, false},
		"zeros behind a price":       {Spec{SpotMaxPrice: "0.25"}, Spec{SpotMaxPrice: "0.250"}, false},
		"the price of Regular":       {Spec{SpotMaxPrice: "-1"}, Spec{}, false},
		"another price":              {Spec{SpotMaxPrice: "0.25"}, Spec{}, true},
		"Delete is what is not said": {Spec{SpotEvictionPolicy: "Delete", ScaleDownMode: "Delete"}, Spec{}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Changes(tc.wanted, tc.existing); (len(got) > 0) != tc.differs {
				t.Errorf("changes %v", got)
			}
		})
	}
}
