# Redmine's own Textile, without the rest of Redmine: a JSON list of texts on stdin, their HTML on stdout.
# The first argument is the folder of Redmine.
require 'json'
require 'cgi'
require 'active_support/all'
require 'action_view'

LIB = File.join(ARGV.fetch(0), 'lib', 'redmine')

module Redmine
  module SyntaxHighlighting
    def self.language_supported?(_language) = true
    def self.highlight_by_language(text, _language) = CGI.escapeHTML(text)
  end

  module WikiFormatting
    class StaleSectionError < StandardError; end
  end
end

require File.join(LIB, 'helpers', 'url')
require File.join(LIB, 'wiki_formatting', 'links_helper')
require File.join(LIB, 'wiki_formatting', 'textile', 'redcloth3')
require File.join(LIB, 'wiki_formatting', 'textile', 'formatter')

texts = JSON.parse($stdin.read)
puts JSON.generate(texts.map { |text| Redmine::WikiFormatting::Textile::Formatter.new(text).to_html })
