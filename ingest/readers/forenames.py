"""Common forenames of people who live in London, by which a column of names is known. Chosen by hand: half a column of them is told."""

from __future__ import annotations

_COMMON = """
aaliyah aaron abdul abdullah abigail adam adrian ahmed aisha alan albert alex alexander alexandra alfie alfred ali alice alison amanda
amelia amina amir amy andrea andrew angela anna anne annie anthony antonio arthur asha ashley ava barbara barry ben benjamin bernard
bethany brian callum cameron carol caroline catherine charles charlie charlotte chloe christine christopher claire colin craig cynthia
daniel darren david dawn deborah denise dennis derek diana diane donald donna doris dorothy douglas dylan edward eileen eleanor
elizabeth ella ellie emily emma eric erin ethan evelyn evie farah fatima fiona frances francis frank freddie frederick gareth gary gemma
geoffrey george georgia georgina gillian gladys gordon grace graham hannah harold harriet harry hassan heather helen henry holly hussain
ian ibrahim imran isaac isabella isabelle isla jack jacob jacqueline jake james jamie jane janet janice jasmine jason jayden jean
jennifer jeremy jessica joan joanna joanne john jonathan joseph joshua joyce judith julia julian julie karen karl kate katherine
kathleen katie keith kelly kenneth kevin khadija kieran kimberly kirsty kwame kyle laura lauren lee leo leon leonard leslie lewis liam
lily linda lisa logan lola louis louise lucas lucy luke lynn malcolm margaret maria marie marion mark martin mary maryam mason matthew
maureen maurice max megan mehmet melissa mia michael michelle mohamed mohammad mohammed molly muhammad nancy naomi natalie natasha
nathan neil nicholas nicola nigel noah nora norman oliver olivia omar oscar owen pamela patricia patrick paul pauline peter philip
phoebe phyllis poppy priya rachel ralph raymond rebecca reginald richard robert robin roger ronald rosemary rosie ross roy ruby russell
ruth ryan sam samantha samuel sana sandra sara sarah scott sean sebastian sharon shaun sheila shirley simon sophia sophie stacey stanley
stella stephanie stephen steven stuart susan suzanne sylvia tanya terence teresa theo theodore theresa thomas tiffany timothy toby tom
tony tracey trevor tyler umar valerie vanessa vera victor vincent violet wayne wendy william yasmin yusuf yvonne zahra zainab zara zoe
"""
FORENAMES = frozenset(_COMMON.split())
