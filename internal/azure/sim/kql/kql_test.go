package kql_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim/kql"
)

func rows(t *testing.T) kql.Table {
	t.Helper()
	table := kql.Table{Columns: []string{"id", "name", "type", "location", "tags", "properties"}}
	err := json.Unmarshal([]byte(`[
		{"id": "/s/1/c/Blue", "name": "Blue", "type": "a/clusters", "location": "westeurope", "tags": {"env": "prod", "x-y": "z"},
		 "properties": {"count": 3, "on": true, "state": "Succeeded", "zones": ["1", "2"], "profile": {"expander": "random"}}},
		{"id": "/s/1/c/green", "name": "green", "type": "a/clusters", "location": "eastus", "properties": {"count": 12, "on": false, "state": "Failed", "profile": null}},
		{"id": "/s/2/r/red", "name": "red", "type": "b/registries", "location": "eastus", "properties": {}}
	]`), &table.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestQueries(t *testing.T) {
	for query, want := range map[string]string{
		"resources | project name":                                                                                                `[{"name":"Blue"},{"name":"green"},{"name":"red"}]`,
		"resources | where type == 'a/clusters' | project name":                                                                   `[{"name":"Blue"},{"name":"green"}]`,
		"resources | where type == 'A/Clusters' | project name":                                                                   `null`,
		"resources | where type =~ 'A/Clusters' | project name":                                                                   `[{"name":"Blue"},{"name":"green"}]`,
		"resources\n| where type != 'a/clusters' // not these\n| project name":                                                    `[{"name":"red"}]`,
		"resources | where name in ('blue', 'red') | project name":                                                                `[{"name":"red"}]`,
		"resources | where name in~ ('blue', 'RED') | project name":                                                               `[{"name":"Blue"},{"name":"red"}]`,
		"resources | where name !in~ ('blue') | project name":                                                                     `[{"name":"green"},{"name":"red"}]`,
		"resources | where properties.count > 3 | project name":                                                                   `[{"name":"green"}]`,
		"resources | where properties.count <= 12 and properties.on == true | project name":                                       `[{"name":"Blue"}]`,
		"resources | where properties.on == false or name == 'red' | project name":                                                `[{"name":"green"},{"name":"red"}]`,
		"resources | where name == 'red' or name == 'Blue' and location == 'x' | project name":                                    `[{"name":"red"}]`,
		"resources | where (name == 'red' or name == 'Blue') and location =~ 'EastUS'|project id":                                 `[{"id":"/s/2/r/red"}]`,
		"resources | where not(isnull(properties.profile)) | project name":                                                        `[{"name":"Blue"}]`,
		"resources | where isempty(properties.state) | project name":                                                              `[{"name":"red"}]`,
		"resources | where id has 'c' and id !has 'gree' and id has 'GREEN' | project name":                                       `[{"name":"green"}]`,
		"resources | where id contains 'REE' | project name":                                                                      `[{"name":"green"}]`,
		"resources | where id startswith '/S/1' and name endswith 'n' | project name":                                             `[{"name":"green"}]`,
		"resources | where tags['x-y'] == 'z' and tags.env =~ 'PROD' | project name":                                              `[{"name":"Blue"}]`,
		"resources | where array_length(properties.zones) == 2 | project properties.zones[-1]":                                    `[{"properties_zones_1":"2"}]`,
		"resources | take 1 | project e = properties.profile.expander, properties.count":                                          `[{"e":"random","properties_count":3}]`,
		"resources | take 1 | project tostring(properties.profile), n = tostring(properties.on)":                                  `[{"n":"true","properties_profile":"{\"expander\":\"random\"}"}]`,
		"resources | extend last = tostring(split(id, '/')[-1]) | where last == 'red' | project last, name = toupper(name)":       `[{"last":"red","name":"RED"}]`,
		"resources | extend one = tolower(strcat(name, '-', location)) | project-away id, name, type, tags, properties | limit 1": `[{"location":"westeurope","one":"blue-westeurope"}]`,
		"resources | order by location asc, name desc | project name":                                                             `[{"name":"red"},{"name":"green"},{"name":"Blue"}]`,
		"resources | sort by toint(properties.count) | project name":                                                              `[{"name":"green"},{"name":"Blue"},{"name":"red"}]`,
		"resources | top 1 by name asc | project name":                                                                            `[{"name":"Blue"}]`,
		"resources | count":                                                     `[{"Count":3}]`,
		"resources | summarize count() by type":                                 `[{"count_":2,"type":"a/clusters"},{"count_":1,"type":"b/registries"}]`,
		"resources | summarize n = count()":                                     `[{"n":3}]`,
		"resources | summarize names = make_set(name) by type | take 1":         `[{"names":["Blue","green"],"type":"a/clusters"}]`,
		"resources | summarize make_set(type)":                                  `[{"set_type":["a/clusters","b/registries"]}]`,
		"resources | where name == 'none' | summarize make_set(name)":           `[{"set_name":[]}]`,
		"resources | distinct location":                                         `[{"location":"westeurope"},{"location":"eastus"}]`,
		"resources | where name == \"it's\" or name == 'it\\'s' | project name": `null`,
		"resources | where coalesce(tags.env, 'none') == 'none' | count":        `[{"Count":2}]`,
	} {
		t.Run(query, func(t *testing.T) {
			q, err := kql.Parse(query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := q.Run(rows(t))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := json.Marshal(got.Rows)
			if diff := cmp.Diff(want, string(raw)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for query, want := range map[string]string{
		"":                                            "ParserFailure: expected the name of a table at \"<EOF>\"",
		"resources | mv-apply x":                      "ParserFailure: expected an operator at \"mv-apply\" (line 1, character 12)",
		"resources |\n where type = 'x'":              "ParserFailure: expected an operator or the end of the expression at \"=\" (line 2, character 12)",
		"resources | where type == 'x":                "ParserFailure: a string without an end",
		"resources | where":                           "ParserFailure: expected a value",
		"resources | where (type == 'x'":              "ParserFailure: expected )",
		"resources | where type in ()":                "ParserFailure: a list without a value",
		"resources | where type in 'x'":               "ParserFailure: expected (",
		"resources type":                              "ParserFailure: expected |",
		"resources | take x":                          "ParserFailure: expected a whole number",
		"resources | where tolower() == 'a'":          "ParserFailure: wrong number of arguments",
		"resources | where a ; b":                     "ParserFailure: a character that no query has",
		"resources | join x on y":                     "NotSimulated: the simulator does not know the operator join",
		"resources | summarize max(x)":                "NotSimulated: the simulator does not know other aggregates than count() and make_set()",
		"resources | where ago(1d) > x":               "NotSimulated: the simulator does not know the function ago",
		"resources | extend x = 1 + 2":                "NotSimulated: the simulator does not know the operator +",
		"union resources":                             "NotSimulated: ",
		"resources | where nme == 'x'":                "InvalidColumnNames: no column nme",
		"resources | project id | project name":       "InvalidColumnNames: no column name",
		"resources | order by Name":                   "InvalidColumnNames: no column Name",
		"resources | where name == 'x' or nme == 'y'": "InvalidColumnNames: no column nme",
	} {
		t.Run(query, func(t *testing.T) {
			q, err := kql.Parse(query)
			if err == nil {
				_, err = q.Run(rows(t))
			}
			var e *kql.Error
			if !errors.As(err, &e) || !strings.HasPrefix(e.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestRowsStay: a query changes nothing in the rows it reads.
func TestRowsStay(t *testing.T) {
	table := rows(t)
	for _, query := range []string{"resources | extend name = 'x' | order by id desc", "resources | summarize count() by name", "resources | project-away name"} {
		q, err := kql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Run(table); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(rows(t), table); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("resources | where type =~ 'a' and id in~ ('b') | extend x = tostring(split(id, '/')[-1]) | project id, x | order by id asc")
	f.Add("resources | where a['b'][-1] !contains \"c\" // d\n| summarize n = count() by tolower(e) | top 3 by n")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := kql.Parse(query)
		if err != nil {
			return
		}
		if _, err := q.Run(rows(t)); err != nil {
			if _, is := errors.AsType[*kql.Error](err); !is {
				t.Errorf("error %v", err)
			}
		}
	})
}
