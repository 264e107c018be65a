package capi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Only of a network that is the cluster's alone is a range claimed and a role given. Whatever the wish says, one that others are in is left alone.
func TestANetworkOfOthers(t *testing.T) {
	type change = func(network tree)
	managed := func(field, value string) change { return func(network tree) { network[field] = value } }
	for name, test := range map[string]struct {
		flavor string
		change change
		own    bool
	}{
		"as CAPZ fills it in":                    {"AzureManaged", managed("resourceGroup", "RG-shop"), true},
		"called as the control plane":            {"AzureManaged", managed("name", "Shop"), true},
		"CAPZ names it":                          {"AzureManaged", func(network tree) { delete(network, "name") }, true},
		"in another group":                       {"AzureManaged", managed("resourceGroup", "hub"), false},
		"in the group under another name":        {"AzureManaged", managed("name", "hub"), false},
		"in the group":                           {"AzureASOManaged", func(tree) {}, true},
		"in the group under another name of ASO": {"AzureASOManaged", func(network tree) { treeIn(network, "spec")["azureName"] = "x" }, true},
		"in another group's object":              {"AzureASOManaged", func(network tree) { treeIn(network, "spec")["owner"] = tree{"name": "hub"} }, false},
		"in a group by its id": {"AzureASOManaged", func(network tree) {
			treeIn(network, "spec")["owner"] = tree{"armId": "/subscriptions/s/resourceGroups/hub"}
		}, false},
		"which Azure Service Operator only reads": {"AzureASOManaged", func(network tree) { treeIn(network, "metadata")["annotations"] = tree{asoPolicy: "skip"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWish()
			if test.flavor == "AzureASOManaged" {
				w = asoWish()
			}
			w.VNet, w.Nodes, w.Labels = "10.64.0.0/20", "10.64.0.0/21", nil
			m := newManagement(t)
			m.applied(w)
			if test.flavor == "AzureManaged" {
				plane := empty(azureManagedControlPlane)
				m.change(plane, "shop", func() {
					test.change(treeIn(plane.Object, "spec", "virtualNetwork"))
					plane.Object["status"] = tree{"initialized": true}
				})
			} else {
				infrastructure := empty(schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: asoInfra})
				m.change(infrastructure, "shop", func() { test.change(resourceNo(infrastructure.Object, 1)) })
				managedCluster := asoObject(asoManagedCluster, "shop", isReady("2026-11-26T12:05:00Z"))
				managedCluster.Object["status"].(tree)["id"] = "/subscriptions/s/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/shop"
				if err := m.inner.Create(t.Context(), managedCluster); err != nil {
					t.Fatal(err)
				}
			}
			d, state := describe(t, m, "shop"), m.state(w)
			got := map[string]bool{"described": d.VNet != "" && d.Nodes != "", "with a network": state.VNet != ""}
			if name != "CAPZ names it" { // then nobody knows its id yet
				got["with a role"] = state.NetworkID != ""
			}
			for what, is := range got {
				if is != test.own {
					t.Errorf("%s: %t", what, is)
				}
			}
			told := strings.Contains(strings.Join(d.Odd, "\n"), "irtualNetwork")
			if told == test.own {
				t.Errorf("odd: %v", d.Odd)
			}
			if state := m.state(d.Wish); len(state.Changes)+len(state.Fixed) > 0 || state.NetworkID != "" && !test.own {
				t.Errorf("described, it would change %v, %v", state.Changes, state.Fixed)
			}
		})
	}
}

// The network that CAPZ makes where nobody says anything is the same for all clusters.
func TestTheNetworkThatCAPZChooses(t *testing.T) {
	w, m := managedWish(), newManagement(t)
	w.VNet, w.Nodes = vnetOfCAPZ, "10.240.0.0/16"
	m.applied(w)
	d := describe(t, m, "shop")
	if diff := cmp.Diff([]string{`virtualNetwork shop 10.0.0.0/8 has subnet "nodes": pools name it, and no range is claimed`}, d.Odd); diff != "" || d.VNet != "" || d.Nodes != "" {
		t.Errorf("%s %+v", diff, d.Wish)
	}
}
