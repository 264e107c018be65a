package sim

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/kql"
	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
)

func graphColumns() []string {
	return []string{
		"id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan", "properties", "tags",
		"identity", "zones", "extendedLocation",
	}
}

// graphTables tells which table holds resources of a type. Pools, subnets and maintenance configurations are in none.
func graphTables() map[string]string {
	return map[string]string{
		typeCluster: "resources", typeNetwork: "resources", typeRegistry: "resources", typeGroup: "resourcecontainers",
		typeRoleAssignment: "authorizationresources", typeRoleDefinition: "authorizationresources",
	}
}

// otherGraphTables are tables of Resource Graph that the simulator does not have.
func otherGraphTables() []string {
	return []string{
		"advisorresources", "alertsmanagementresources", "appserviceresources", "computeresources", "dnsresources", "extensibilityresources", "healthresources",
		"insightsresources", "kubernetesconfigurationresources", "maintenanceresources", "managedserviceresources", "networkresources", "policyresources",
		"quotaresources", "resourcechanges", "resourcecontainerchanges", "securityresources", "servicehealthresources", "spotresources", "supportresources",
	}
}

// graphTable is a table as the caller sees it: of the subscriptions asked for, and only what it may read.
func (c *cloud) graphTable(r *call, name string, wanted func(subscription string) bool) (kql.Table, error) {
	table := strings.ToLower(name)
	if slices.Contains(otherGraphTables(), table) {
		return kql.Table{}, &kql.Error{Kind: kql.NotSimulated, Message: "the simulator does not know the table", Token: name, Line: 1}
	}
	if !slices.Contains(slices.Collect(maps.Values(graphTables())), table) {
		return kql.Table{}, graphRefusal("DisallowedLogicalTableName", "Table "+name+" is invalid, unsupported or disallowed.")
	}
	rows := c.graphRows(table)
	if table == "authorizationresources" {
		for _, role := range rbac.BuiltIn() {
			row := newGraphRow(table, c.showRole(role, ""))
			rows[row.id()] = row
		}
	}
	out := kql.Table{Columns: graphColumns()}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		row := rows[key]
		everywhere := row.subscription() == "" && strings.HasSuffix(row.kind(), "roledefinitions")
		if row.table != table || !everywhere && !wanted(row.subscription()) || !everywhere && !c.may(r, row.kind()+"/read", row.id()) {
			continue
		}
		columns := maps.Clone(row.columns)
		columns["tenantId"] = r.tenant
		out.Rows = append(out.Rows, columns)
	}
	return out, nil
}

// graphRow is one resource in Resource Graph.
type graphRow struct {
	table   string
	columns kql.Row
}

func (g graphRow) id() string { return strings.ToLower(armjson.String(g.columns, "id")) }

func (g graphRow) kind() string { return armjson.String(g.columns, "type") }

func (g graphRow) subscription() string { return armjson.String(g.columns, "subscriptionId") }

// newGraphRow writes a resource as Resource Graph does: type, location and group in lower case, the id as it is.
func newGraphRow(table string, shown armjson.Object) graphRow {
	columns := kql.Row{}
	for _, name := range graphColumns() {
		columns[name] = shown[name]
	}
	columns["type"] = strings.ToLower(armjson.String(shown, "type"))
	columns["location"] = strings.ToLower(armjson.String(shown, "location"))
	if table == "authorizationresources" {
		columns["location"] = "global"
	}
	columns["resourceGroup"], columns["subscriptionId"] = "", ""
	segments := strings.Split(armjson.String(shown, "id"), "/")
	for i := 1; i+1 < len(segments) && i <= 3; i += 2 {
		switch strings.ToLower(segments[i]) {
		case "subscriptions":
			columns["subscriptionId"] = strings.ToLower(segments[i+1])
		case "resourcegroups":
			columns["resourceGroup"] = strings.ToLower(segments[i+1])
		}
	}
	// What a client would read: a row may not share anything with the state, and has JSON's own types only.
	return graphRow{table, armjson.Clone(columns)}
}

// graphIndex is Resource Graph's own copy of the resources, which is late. Without a lag there is none.
type graphIndex struct {
	// seen is which version of each resource was looked at last; rows are what queries see, and pending what they will.
	seen    map[string]string
	rows    map[string]graphRow
	pending []graphChange
}

// graphChange is a resource that was changed, or deleted if there is no row.
type graphChange struct {
	at  time.Time
	key string
	row *graphRow
}

// graphRows are the rows of a table as they are known now, by key, and maybe others.
func (c *cloud) graphRows(wanted string) map[string]graphRow {
	if c.graph == nil {
		out := map[string]graphRow{}
		for key, r := range c.state.Resources {
			if table := graphTables()[r.Type]; table == wanted {
				out[key] = newGraphRow(table, c.show(r))
			}
		}
		return out
	}
	due := c.clock.Now().Add(-c.settings.Durations.ResourceGraphLag.Duration)
	for len(c.graph.pending) > 0 && !c.graph.pending[0].at.After(due) {
		change := c.graph.pending[0]
		c.graph.pending = c.graph.pending[1:]
		if change.row == nil {
			delete(c.graph.rows, change.key)
		} else {
			c.graph.rows[change.key] = *change.row
		}
	}
	return maps.Clone(c.graph.rows)
}

// followGraph starts the index when a lag is set, with all that is there by then, and ends it when none is.
func (c *cloud) followGraph() {
	lag := c.settings.Durations.ResourceGraphLag.Duration
	switch {
	case lag <= 0:
		c.graph = nil
	case c.graph == nil:
		rows := map[string]graphRow{}
		for _, table := range graphTables() {
			maps.Copy(rows, c.graphRows(table))
		}
		c.graph = &graphIndex{seen: c.graphVersions(), rows: rows}
	}
}

// noteGraph notes what has changed since it was called last.
func (c *cloud) noteGraph() {
	if c.graph == nil {
		return
	}
	now, versions := c.clock.Now(), c.graphVersions()
	for key := range c.graph.seen {
		if _, is := versions[key]; !is {
			c.graph.pending = append(c.graph.pending, graphChange{at: now, key: key})
		}
	}
	for key, version := range versions {
		if c.graph.seen[key] != version {
			r := c.state.Resources[key]
			row := newGraphRow(graphTables()[r.Type], c.show(r))
			c.graph.pending = append(c.graph.pending, graphChange{at: now, key: key, row: &row})
		}
	}
	c.graph.seen = versions
}

// graphVersions tells the version of each resource: its own, and that of the pools or subnets that are shown in it.
func (c *cloud) graphVersions() map[string]string {
	parts := map[string][]string{}
	for key, r := range c.state.Resources {
		if r.Type == typePool || r.Type == typeSubnet {
			parent := key[:strings.LastIndexByte(key[:strings.LastIndexByte(key, '/')], '/')]
			parts[parent] = append(parts[parent], r.ETag)
		}
	}
	out := map[string]string{}
	for key, r := range c.state.Resources {
		if graphTables()[r.Type] != "" {
			slices.Sort(parts[key])
			out[key] = r.ETag + " " + strings.Join(parts[key], " ")
		}
	}
	return out
}
