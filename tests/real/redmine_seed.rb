# Furnishes a fresh Redmine for the tests and writes its keys as JSON to $SEED_KEYS.
#
# Loaded inside Redmine's own process by the rackup file of redmine.sh, before the first request is served.
#
#   people    admin; bridge (the integration account: no administrator); alice (manager); bob (developer, hides his mail)
#   project   ci, private, with all trackers
#   fields    External ID (text, filter: the marker), Severity (list, filter), Areas (list, several), Billable (bool),
#             Effort (float), Wanted (date), Remark (text), all for all projects and types; Bug only (text) for one type
#   refusals  the bridge may not move a ticket to Rejected, nor set the due date of a Support ticket; the role Mute,
#             which nobody has in ci, may edit tickets but add no notes
require 'json'

# A test's database need not outlive a power cut: no write waits for the disk.
module Unsynced
  def configure_connection
    super
    execute('PRAGMA synchronous = OFF', 'SCHEMA')
  end
end
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(Unsynced)
ActiveRecord::Base.clear_all_connections!

Setting.rest_api_enabled = '1'
Setting.text_formatting = 'markdown'
Setting.notified_events = [] # no mail, ever

def person(login, first, last, hide_mail:)
  user = User.new(firstname: first, lastname: last, mail: "#{login}@example.test", language: 'en')
  user.login = login
  user.password = user.password_confirmation = SecureRandom.hex(12)
  user.mail_notification = 'none'
  user.save!
  user.pref.update!(hide_mail: hide_mail)
  user
end

def field(name, format, **more)
  field = IssueCustomField.new(name: name, field_format: format, is_for_all: true, is_filter: true, **more)
  field.trackers = Tracker.all
  field.save!
  field.id
end

manager = Role.find_by!(name: 'Manager')
manager.add_permission!(:set_notes_private, :view_private_notes)
developer = Role.find_by!(name: 'Developer')

integration = Role.new(name: 'Integration', issues_visibility: 'all', users_visibility: 'all')
integration.permissions = %i[
  view_issues add_issues edit_issues add_issue_notes edit_own_issue_notes view_private_notes set_notes_private
]
integration.save!
integration.copy_workflow_rules(manager)
rejected = IssueStatus.find_by!(name: 'Rejected')
WorkflowTransition.where(role_id: integration.id, new_status_id: rejected.id).delete_all
support = Tracker.find_by!(name: 'Support')
IssueStatus.all.each do |status|
  WorkflowPermission.create!(
    role: integration, tracker: support, old_status: status, field_name: 'due_date', rule: 'readonly'
  )
end

mute = Role.new(name: 'Mute', issues_visibility: 'all', users_visibility: 'all')
mute.permissions = %i[view_issues edit_issues]
mute.save!
mute.copy_workflow_rules(manager)

admin = User.find_by_login('admin')
admin.must_change_passwd = false
admin.save!(validate: false)
people = {
  'bridge' => person('bridge', 'Bridge', 'Account', hide_mail: false),
  'alice' => person('alice', 'Alice', 'Agent', hide_mail: false),
  'bob' => person('bob', 'Bob', 'Builder', hide_mail: true)
}
roles = { 'bridge' => integration, 'alice' => manager, 'bob' => developer, 'mute' => mute }

project = Project.new(name: 'Continuous integration', identifier: 'ci', is_public: false)
project.trackers = Tracker.all
project.enabled_module_names = %w[issue_tracking]
project.save!
people.each { |login, user| Member.create!(project: project, principal: user, roles: [roles[login]]) }

fields = {
  'External ID' => field('External ID', 'string', searchable: true),
  'Severity' => field('Severity', 'list', possible_values: %w[S1 S2 S3]),
  'Areas' => field('Areas', 'list', possible_values: %w[Network Storage Printing], multiple: true),
  'Billable' => field('Billable', 'bool'),
  'Effort' => field('Effort', 'float'),
  'Wanted' => field('Wanted', 'date'),
  'Remark' => field('Remark', 'string'),
  'Bug only' => field('Bug only', 'string')
}
IssueCustomField.find_by!(name: 'Bug only').update!(trackers: [Tracker.find_by!(name: 'Bug')])

File.write(
  ENV.fetch('SEED_KEYS'),
  JSON.generate(
    'project' => project.identifier,
    'keys' => people.merge('admin' => admin).transform_values(&:api_key),
    'people' => people.transform_values(&:id),
    'roles' => roles.transform_values(&:id),
    'fields' => fields
  )
)
