{# `only_new`: what earlier nights appended was tested then; by `loaded_as_of` where known_at does not tell. #}
{% test unique_combination(model, columns, only_new=false) %}
select {{ columns | join(', ') }}
from {{ model }}
{% if only_new == "loaded_as_of" %}where loaded_as_of > {{ loaded_after() }}
{% elif only_new %}where known_at > {{ known_after() }}{% endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
