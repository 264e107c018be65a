package armid

import (
	"strconv"
	"strings"
	"testing"
)

const instance = "/subscriptions/0000/resourceGroups/mc_rg_c_westeurope/providers/Microsoft.Compute/virtualMachineScaleSets/aks-general-02118794-vmss/virtualMachines/0"

func TestParse(t *testing.T) {
	cases := map[string]struct {
		text string
		ok   bool
	}{
		"instance":            {instance, true},
		"managed cluster":     {"/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", true},
		"resource group":      {"/subscriptions/0/resourceGroups/g", true},
		"empty":               {"", false},
		"no leading slash":    {strings.TrimPrefix(instance, "/"), false},
		"trailing slash":      {instance + "/", false},
		"double slash":        {strings.Replace(instance, "/providers", "//providers", 1), false},
		"query":               {instance + "?api-version=1", false},
		"escaped":             {strings.Replace(instance, "mc_rg", "mc%5Frg", 1), false},
		"empty group":         {"/subscriptions/0/resourceGroups/providers/Microsoft.Compute/virtualMachineScaleSets/v", false},
		"empty subscription":  {"/subscriptions/resourceGroups/g/Microsoft.Compute", false},
		"no subscription":     {"/subscriptions/providers/Microsoft.Compute/virtualMachineScaleSets", false},
		"a zero width space":  {strings.Replace(instance, "mc_rg", "mc\u200b_rg", 1), false},
		"broken text":         {strings.Replace(instance, "mc_rg", "mc\xff_rg", 1), false},
		"letters of a group":  {strings.Replace(instance, "mc_rg", "mc_größe", 1), true},
		"management group":    {managementGroup, true},
		"a number":            {"0", false},
		"relative":            {"/subscriptions/0/resourceGroups/../providers/Microsoft.Compute/virtualMachineScaleSets/v", false},
		"collection, no name": {"/subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id, err := Parse(tc.text)
			if (err == nil) != tc.ok {
				t.Fatalf("Parse(%q) = %v, %v; want ok %t", tc.text, id, err, tc.ok)
			}
			if err != nil && !strings.Contains(err.Error(), strconv.Quote(tc.text)) {
				t.Errorf("error %q does not name the value", err)
			}
		})
	}
}

// Two pools both have an instance 0. Matching nodes by the tail of the id once
// deleted most of a production cluster.
func TestInstancesOfTwoPoolsAreDifferent(t *testing.T) {
	general, err := ParseProviderID("azure://" + instance)
	if err != nil {
		t.Fatal(err)
	}
	system, err := ParseProviderID("azure://" + strings.Replace(instance, "aks-general", "aks-system", 1))
	if err != nil {
		t.Fatal(err)
	}
	if general.Equal(system.ID) || general.ScaleSet.Equal(system.ScaleSet) {
		t.Errorf("%s equals %s", general, system)
	}
	upper, err := ParseProviderID("azure://" + strings.Replace(instance, "mc_rg_c", "MC_RG_C", 1))
	if err != nil {
		t.Fatal(err)
	}
	if !general.Equal(upper.ID) {
		t.Errorf("%s and %s are the same machine to Azure", general, upper)
	}
}

func TestParseProviderIDRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no scheme":      instance,
		"other cloud":    "aws://" + instance,
		"a scale set":    "azure://" + strings.TrimSuffix(instance, "/virtualMachines/0"),
		"single machine": "azure:///subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm0",
		"tail only":      "azure:///0",
		"empty":          "",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseProviderID(text); err == nil {
				t.Errorf("ParseProviderID(%q) = %v", text, got)
			}
		})
	}
}

func TestZeroIDEqualsNothing(t *testing.T) {
	if (ID{}).Equal(ID{}) {
		t.Error("two unread ids are taken for the same resource")
	}
}

func FuzzParseProviderID(f *testing.F) {
	f.Add("azure://" + instance)
	f.Add("azure:///subscriptions/0/resourceGroups/g")
	f.Add("azure:////")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseProviderID(text)
		if err != nil {
			return
		}
		if !strings.EqualFold(providerScheme+got.String(), text) {
			t.Errorf("ParseProviderID(%q) lost something: %q", text, got)
		}
		if !strings.HasPrefix(got.Key(), got.ScaleSet.Key()+"/") {
			t.Errorf("instance %q is not inside its scale set %q", got, got.ScaleSet)
		}
		again, err := ParseProviderID(text)
		if err != nil || !again.Equal(got.ID) {
			t.Errorf("%q is not equal to itself", text)
		}
	})
}
